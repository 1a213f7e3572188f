"""Nothing is written when nothing changed, and no more than changed."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trimtab.api.application import ApplicationStatus, InventoryCount
from trimtab.report.status_patch import changed, merge_patch, status_patch

OLD = ApplicationStatus(observed_generation=1, errors_total=3, inventory=InventoryCount(objects=3, ready=3, drifted=0))


def test_equal_statuses_need_no_patch():
    same = ApplicationStatus.model_validate(OLD.to_body())
    assert not changed(OLD, same)
    assert status_patch(OLD, same) is None


def test_only_what_changed_is_sent():
    new = OLD.model_copy(update={"errors_total": None, "inventory": InventoryCount(objects=3, ready=2, drifted=0)})
    assert changed(OLD, new)
    assert status_patch(OLD, new) == {"status": {"errorsTotal": None, "inventory": {"ready": 2}}}


def merged(target: Any, patch: Any) -> Any:
    """RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


values = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=2) | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
)
bodies = st.dictionaries(st.sampled_from("abc"), values, max_size=3)


@given(old=bodies, new=bodies)
def test_the_patch_makes_old_new(old, new):
    assert merged(old, merge_patch(old, new)) == new


@given(bodies)
def test_no_patch_for_equals(body):
    assert merge_patch(body, body) == {}
