"""Where in the tree a Jsonnet file is wrong, from what the library wrote."""

import pytest

from trimtab.render.jsonnet_errors import failure, is_missing_import

FILES = frozenset({"app/main.jsonnet", "lib/x.libsonnet"})


@pytest.mark.parametrize(
    ("stderr", "told"),
    [
        (
            'RUNTIME ERROR: x\n\tapp/main.jsonnet:1:5-14\tobject <anonymous>\n\tField "a"\t\n',
            "app/main.jsonnet:1: jsonnet: x",
        ),
        ("app/main.jsonnet:2:4 Unexpected end of file\n\n{a:\n", "app/main.jsonnet:2: jsonnet: Unexpected end of file"),
        ("app/main.jsonnet:(2:1)-(3:4) Unknown variable: b\n", "app/main.jsonnet:2: jsonnet: Unknown variable: b"),
        ("RUNTIME ERROR: y\n\t<std>:1:1-3\t\n\tlib/x.libsonnet:7:1-9\t\n", "lib/x.libsonnet:7: jsonnet: y"),
        ("trimtab: no such import: a\nRUNTIME ERROR: b\n", "app/main.jsonnet: jsonnet: no such import: a"),
        ("", "app/main.jsonnet: jsonnet: it ended without a word"),
        ("RUNTIME ERROR: " + "x" * 999, "app/main.jsonnet: jsonnet: " + "x" * 300 + "…"),
    ],
)
def test_the_first_place_in_the_tree_is_told(stderr: str, told: str) -> None:
    problem = failure(stderr, "app/main.jsonnet", FILES)
    assert str(problem).partition(" (")[0] == told
    assert problem.reason == "BuildFailed"


def test_only_a_missing_import_may_be_mended_by_more_files() -> None:
    assert is_missing_import("trimtab: no such import: a\n")
    assert not is_missing_import("trimtab: an import leaves the repository: a\n")
