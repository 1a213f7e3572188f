import pytest

from trimtab.adapters.kube.own_kinds import finalizer_patch
from trimtab.core.names import FINALIZER


@pytest.mark.parametrize(
    ("held", "present", "wanted"),
    [
        (None, True, [FINALIZER]),
        (["a"], True, ["a", FINALIZER]),
        (["a", FINALIZER, "b"], False, ["a", "b"]),
        ([FINALIZER], False, []),
    ],
)
def test_only_our_finalizer_changes_and_only_if_nobody_wrote(
    held: list[str] | None, present: bool, wanted: list[str]
) -> None:
    patch = finalizer_patch({"resourceVersion": "7", "finalizers": held}, present=present)

    assert patch == {"metadata": {"resourceVersion": "7", "finalizers": wanted}}


@pytest.mark.parametrize(("held", "present"), [([FINALIZER], True), ([], False), (None, False)])
def test_what_is_so_already_needs_no_patch(held: list[str] | None, present: bool) -> None:
    assert finalizer_patch({"resourceVersion": "7", "finalizers": held}, present=present) is None
