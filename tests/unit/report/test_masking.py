"""Nothing of what a Secret holds is shown, whatever its shape."""

from hypothesis import given
from hypothesis import strategies as st

from trimtab.core.refs import ObjectRef
from trimtab.report.masking import is_secret, masked_pair, shown

SECRET = ObjectRef("local", "", "Secret", "shop", "login")
OWNER = "trimtab.dev/owner"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def body(**parts: object) -> dict:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}, **parts}


def test_only_core_secrets_are_secrets():
    assert is_secret(SECRET)
    assert not is_secret(ObjectRef("local", "example.test", "Secret", "shop", "login"))
    assert not is_secret(ObjectRef("local", "", "ConfigMap", "shop", "login"))


def test_pairs_tell_which_keys_changed():
    before, after = masked_pair(
        body(data={"same": "eA==", "other": "eQ==", "gone": "eg=="}), body(data={"same": "eA==", "other": "eXk="})
    )
    assert before is not None
    assert after is not None
    assert before["data"] == {"same": "(masked)", "other": "(masked, before)", "gone": "(masked, before)"}
    assert after["data"] == {"same": "(masked)", "other": "(masked, after)"}


def test_one_side_alone_is_masked():
    assert masked_pair(None, body(data={"a": "eA=="}, stringData={"b": "x"})) == (
        None,
        body(data={"a": "(masked)"}, stringData={"b": "(masked)"}),
    )


def test_annotations_are_masked_but_for_our_own():
    metadata = {
        "name": "login",
        "annotations": {LAST_APPLIED: '{"data":{"a":"eA=="}}', "note": "hunter2", OWNER: "ns/app/u"},
    }
    before, _ = masked_pair(body(metadata=metadata), None)
    assert before is not None
    assert before["metadata"]["annotations"] == {LAST_APPLIED: "(masked)", "note": "(masked)", OWNER: "ns/app/u"}


def test_odd_shapes_are_masked_whole():
    before, after = masked_pair(body(data=["hunter2"]), body(data={"a": "hunter2"}))
    assert before is not None
    assert after is not None
    assert before["data"] == "(masked)"
    assert after["data"] == {"a": "(masked, after)"}


@given(
    field=st.text(alphabet="abdtx.[]=", max_size=12).map(lambda text: f"data{text}"),
    value=st.text(min_size=3, alphabet="QZ7"),
)
def test_no_value_below_data_is_shown(field, value):
    assert value not in shown(SECRET, field, {"x": value})
