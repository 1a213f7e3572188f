"""The example shop as a repository of its own: the files of deploy/examples/shop, and the commits of the story.

A folder to write to flows in; a bare repository, and changes as path → text, flow out.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trimtab
from trimtab.adapters.git.bare_repository import BareRepository
from trimtab.localcluster import ClusterError

CATALOG: Final = "base/catalog.yaml"
WEB: Final = "base/web.yaml"
DISRUPTION: Final = "overlays/production/disruption.yaml"


@dataclass(frozen=True, slots=True)
class Change:
    """Files with their new text, and the subject under which they are committed."""

    subject: str
    files: dict[str, str]


def files() -> dict[str, str]:
    """Path → text of the example. Raises ClusterError where the installation lacks it."""
    package = Path(trimtab.__file__).parent
    # In a wheel the example lies inside the package, in a checkout beside it.
    for folder in (package / "cli" / "demo" / "example", package.parents[1] / "deploy" / "examples" / "shop"):
        found = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.yaml")}
        if found:
            return found
    raise ClusterError("the example shop is not part of this installation", remedy="run the demo from a checkout")


def create(path: Path) -> BareRepository:
    """A bare repository with the shop in its first commit, which takes pushes."""
    repository = BareRepository.create(path)
    repository.git("config", "http.receivepack", "true")
    repository.commit(dict(files()), "Open the shop")
    return repository


def new_catalog() -> Change:
    """A new version of the catalogue, in both overlays."""
    return Change("Sell more: catalogue 1.5.0", {CATALOG: _replaced(CATALOG, "catalog:1.4.0", "catalog:1.5.0")})


def broken() -> Change:
    """A new shop window for all, and with it a mistake in what only production has."""
    return Change(
        "Prettier shop window, and keep two catalogues",
        {
            CATALOG: new_catalog().files[CATALOG],
            WEB: _replaced(WEB, "web:3.1.0", "web:3.2.0"),
            DISRUPTION: _replaced(DISRUPTION, "minAvailable: 2", "minAvailable: two"),
        },
    )


def _replaced(path: str, old: str, new: str) -> str:
    text = files()[path]
    if old not in text:
        raise ClusterError(f"{path} of the example shop does not hold {old!r}", remedy="restore deploy/examples")
    return text.replace(old, new)
