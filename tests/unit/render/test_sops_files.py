"""What SOPS has encrypted is known by what it holds, with the keys that it wants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.core.manifest import Manifest, Origin
from trimtab.core.refs import ObjectRef
from trimtab.render.limits import Limits
from trimtab.render.sops_files import Part, SopsFormat, Wanted, left_encrypted, parts_of

AGE = "age1qqqq"
FINGERPRINT = "A" * 40


def document(name="a", mac="M", more=""):
    return (
        f"kind: Secret\nmetadata:\n    name: {name}\nsops:\n    mac: ENC[{mac}]\n"
        f"    age:\n        - recipient: {AGE}\n          enc: x\n{more}"
    )


def only(data, file):
    (part,) = parts_of(data if isinstance(data, bytes) else data.encode(), file)
    return part


@pytest.mark.parametrize(
    ("file", "text", "found"),
    [
        ("a.yaml", document(), SopsFormat.YAML),
        ("a.txt", document(), SopsFormat.YAML),
        ("a.json", '{"x": "ENC[y]", "sops": {"mac": "m", "age": [{"recipient": "age1qqqq"}]}}', SopsFormat.JSON),
        ("a.yaml", '{"x": "ENC[y]", "sops": {"mac": "m", "age": [{"recipient": "age1qqqq"}]}}', SopsFormat.YAML),
        ("a.txt", '{"data": "ENC[y]", "sops": {"mac": "m", "age": [{"recipient": "age1qqqq"}]}}', SopsFormat.BINARY),
        ("a.txt", '{"other": "ENC[y]", "sops": {"mac": "m", "age": [{"recipient": "age1qqqq"}]}}', SopsFormat.JSON),
        ("a.env", "A=ENC[x]\nsops_age__list_0__map_recipient=age1qqqq\nsops_mac=ENC[y]\n", SopsFormat.DOTENV),
        ("a.ini", "[s]\na = ENC[x]\n[sops]\nage__list_0__map_recipient = age1qqqq\nmac = ENC[y]\n", SopsFormat.INI),
    ],
)
def test_formats_are_told_by_content(file, text, found):
    part = only(text, file)
    assert (part.format, part.wanted) == (found, Wanted(age=(AGE,)))
    assert part.text.strip() == text.encode().strip()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("a.yaml", "kind: Secret\n"),
        ("a.yaml", "kind: ConfigMap\ndata: {sops: words}\n"),
        ("a.yaml", "sops: words\n"),
        ("a.yaml", "sops: [\n"),
        ("a.json", '{"sops": 1}'),
        ("a.json", '{"sops": '),
        ("a.json", "[1]"),
        ("a.env", "SOPS_MAC=x\n# sops_mac=x\n"),
        ("a.txt", ""),
    ],
)
def test_all_else_is_plain(file, text):
    assert parts_of(text.encode(), file) == ()


def test_what_is_larger_than_a_file_may_be_is_left_to_the_reader():
    assert parts_of(document().encode(), "a.yaml", limits=Limits(file_bytes=10)) == ()


def test_documents_of_one_checksum_belong_together():
    text = "\n---\n".join([document("a"), document("b"), document("c", mac="N"), "kind: Plain", document("d")])
    parts = parts_of(f"---\n{text}\n---\n\n".encode(), "a.yaml")
    assert [part.wanted is None for part in parts] == [False, False, True, False]
    assert parts[0].text == f"{document('a')}---\n{document('b')}".encode()
    assert parts[2] == Part(b"kind: Plain\n")


def test_keys_of_every_kind_are_named():
    more = (
        f"    pgp: [{{fp: {FINGERPRINT}}}]\n    kms: [{{arn: 'arn:aws:kms:eu:1:key/2'}}]\n"
        "    hc_vault: [{vault_address: 'https://v', key_name: k}]\n    gcp_kms: []\n"
        "    key_groups: [{age: [{recipient: age1other}, 5]}, 7]\n"
    )
    wanted = only(document(more=more), "a.yaml").wanted
    services = {"kms": ("arn:aws:kms:eu:1:key/2",), "hc_vault": ("https://v",)}
    assert wanted == Wanted((AGE, "age1other"), (FINGERPRINT,), services, unclear=True)
    assert str(wanted) == (
        f"age recipient {AGE} or age1other or PGP key {FINGERPRINT} or kms key arn:aws:kms:eu:1:key/2 "
        "or hc_vault key https://v"
    )


def test_names_that_could_do_harm_are_not_shown():
    wanted = only(document().replace(AGE, '"\\e[31m"'), "a.yaml").wanted
    assert str(wanted) == "age recipient of unreadable name"
    assert str(Wanted()) == "no key at all"


def manifest(kind="Secret", **body):
    whole = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "a"}, **body}
    return Manifest(ObjectRef.of(whole), "v1", whole, Origin("a.yaml", 1))


@pytest.mark.parametrize(
    "left",
    [
        manifest(sops={"mac": "x"}),
        manifest("Deployment", sops=None),
        manifest(stringData={"a": "x\nmac: ENC[y]"}),
        manifest(data={"a": "c29wc19tYWM9\nRU5DW3hd"}),
        manifest("ConfigMap", data={"a": '"mac": "ENC[y]"'}),
    ],
)
def test_what_is_left_encrypted_is_a_problem(left):
    (problem,) = left_encrypted([left, manifest()])
    assert problem.message == "is still encrypted"


@pytest.mark.parametrize(
    "plain",
    [
        manifest(),
        manifest(data={"a": "eA==", "b": "no base64", "c": 5}, stringData="odd"),
        manifest("ConfigMap", data={"a": "words about sops_mac"}),
        manifest("Job", data={"a": "mac: ENC[y]"}),
    ],
)
def test_plain_objects_are_none(plain):
    assert left_encrypted([plain]) == ()


@given(st.text(alphabet='sops:-\n mac{}"[]ENC=x_', max_size=200), st.sampled_from(["a.yaml", "a.json", "a.env", "a"]))
def test_no_text_breaks_the_search(text, file):
    for part in parts_of(text.encode(), file):
        assert part.text
