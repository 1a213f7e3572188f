"""Unified diffs of objects."""

from trimtab.core.refs import ObjectRef
from trimtab.report.diff import unified_diff

MAP = ObjectRef("local", "", "ConfigMap", "shop", "settings")
SECRET = ObjectRef("local", "", "Secret", "shop", "login")


def config(data: dict, **metadata: object) -> dict:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", **metadata}, "data": data}


def test_changed_values():
    assert unified_diff(MAP, config({"a": "1", "b": "2"}), config({"a": "1", "b": "3"})) == (
        "--- live/ConfigMap/shop/settings\n"
        "+++ git/ConfigMap/shop/settings\n"
        "@@ -1,7 +1,7 @@\n"
        " apiVersion: v1\n"
        " data:\n"
        "   a: '1'\n"
        "-  b: '2'\n"
        "+  b: '3'\n"
        " kind: ConfigMap\n"
        " metadata:\n"
        "   name: settings\n"
    )


def test_the_servers_own_fields_do_not_count():
    live = config({"a": "1"}, uid="u", resourceVersion="7", managedFields=[{}], generation=3, creationTimestamp="x")
    assert unified_diff(MAP, {**live, "status": {"x": 1}}, config({"a": "1"})) == ""


def test_created_and_deleted():
    created = unified_diff(MAP, None, config({"a": "1"}))
    deleted = unified_diff(MAP, config({"a": "1"}), None)
    assert created.startswith("--- /dev/null\n+++ git/ConfigMap/shop/settings\n")
    assert "+  a: '1'\n" in created
    assert deleted.startswith("--- live/ConfigMap/shop/settings\n+++ /dev/null\n")


def test_a_changed_line_of_a_long_text_shows_as_one():
    before, after = config({"conf": "one\ntwo\nthree\n"}), config({"conf": "one\n2\nthree\n"})
    changed = [line for line in unified_diff(MAP, before, after).splitlines() if line[0] in "+-"]
    assert changed[2:] == ["-    two", "+    2"]


def test_coloured():
    text = unified_diff(MAP, config({"a": "1"}), config({"a": "2"}), coloured=True)
    assert "\x1b[31m-  a: '1'\x1b[0m\n" in text
    assert "\x1b[32m+  a: '2'\x1b[0m\n" in text
    assert "\x1b[36m@@" in text
    assert text.startswith("\x1b[1m--- live/ConfigMap/shop/settings\x1b[0m\n")
    assert "\n kind: ConfigMap\n" in text


def test_same_values_repeated_make_no_anchors():
    shared = {"x": "1"}
    before = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"labels": shared, "annotations": shared}}
    assert "&" not in unified_diff(MAP, before, None)


def test_secrets_are_masked():
    live = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}, "data": {"p": "aHVudGVyMg=="}}
    text = unified_diff(SECRET, live, {**live, "data": {"p": "c2VjcmV0"}})
    assert "-  p: (masked, before)\n+  p: (masked, after)\n" in text
    assert "aHVudGVyMg" not in text
    assert "c2VjcmV0" not in text
