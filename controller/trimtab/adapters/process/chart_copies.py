"""A chart's files on disk: local dependencies copied to where helm looks for them, and a look for what they mention.

The chart stage calls both over the materialised tree, which is its own.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from trimtab.adapters.process.tree import Tree
from trimtab.core.errors import RenderError
from trimtab.render.helm_chart import wrong
from trimtab.render.layout import within
from trimtab.render.limits import Limits

_ASKS: Final = (b"Capabilities", b"kubeVersion")
"""How charts ask for the cluster's version and APIs: in templates, or by a constraint in Chart.yaml."""


def copy_charts(tree: Tree, copies: Sequence[tuple[str, str]], limits: Limits, chart_file: str) -> None:
    """Copy folders, `(from, to)`, in this order. Raises RenderError where they hold too much, or links to folders."""
    listing = tree.files
    left_files, left_bytes = limits.files, limits.total_bytes
    for source, place in copies:
        if any(within(link, source) and link not in listing for link in tree.links):
            remedy = "replace it by the folder itself"
            raise RenderError(
                wrong(f"the dependency at {source} holds a symbolic link to a folder", chart_file, remedy)
            )
        for name in sorted(name for name in listing if within(name, source)):
            data = tree.read(name)
            left_files, left_bytes = left_files - 1, left_bytes - len(data)
            if min(left_files, left_bytes) < 0 or len(data) > limits.file_bytes:
                raise RenderError(wrong("local dependencies hold too much", chart_file, "depend on smaller charts"))
            target = tree.root / place / (name[len(source) :].lstrip("/") if source else name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    if copies:
        tree.refresh()


def mentions_capabilities(tree: Tree, folders: Iterable[str], values: dict[str, Any]) -> bool:
    """Whether a chart or its values may ask for the cluster's version or APIs; packed charts are taken to."""
    if b"Capabilities" in json.dumps(values).encode():
        return True
    kept = tuple(folders)
    for name in tree.files:
        if any(within(name, folder) for folder in kept):
            if name.endswith(".tgz"):
                return True
            data = tree.read(name)
            if any(word in data for word in _ASKS):
                return True
    return False
