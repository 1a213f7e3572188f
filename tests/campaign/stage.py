"""Where the campaign plays: a cluster of its own with real applications on it, in Correct and in Report mode.

A cluster, a folder and the corpus (or none: then only objects of our own) flow in; a lab at rest and its targets flow
out.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.campaign.lab import OWN, Lab, files_below
from tests.campaign.rich import RICH, as_files

from trimtab.localcluster import LocalCluster


@dataclass(frozen=True, slots=True)
class Show:
    """An Application of the campaign: files of a folder of the corpus (of ours where it is empty)."""

    name: str
    source: str
    folder: str
    files: tuple[str, ...]
    path: str
    reports: bool = False
    own_namespace: bool = True


SHOWS = (
    Show("boutique", "boutique", "microservices-demo", ("release/kubernetes-manifests.yaml",), "release"),
    Show(
        "looked-at", "boutique", "microservices-demo", ("release/kubernetes-manifests.yaml",), "release", reports=True
    ),
    Show("podinfo", "podinfo", "podinfo", (), "."),
    Show("monitoring", "monitoring", "kube-prometheus", (), ".", own_namespace=False),
    Show("rich", "rich", "", (), "rich"),
    Show("rich-looked-at", "rich", "", (), "rich", reports=True),
)


@dataclass(frozen=True, slots=True)
class Target:
    """A managed object, where it stands and how status names it."""

    application: str
    reports: bool
    path: str
    shown_as: str
    kind: str


@contextmanager
def stage(
    cluster: LocalCluster, folder: Path, corpus: Path | None, *, without: Collection[str] = ()
) -> Iterator[tuple[Lab, list[Target]]]:
    """A controller with all shows applied but those named `without`, at rest."""
    with Lab(cluster, folder) as lab:
        shows = [show for show in SHOWS if show.name not in without and (corpus is not None or not show.folder)]
        revisions: dict[str, str] = {}
        for show in shows:
            if show.source not in revisions:
                revisions[show.source] = _serve(lab, show, corpus)
            target = f"{lab.namespace}-{show.name}" if show.own_namespace else ""
            mode = "Report" if show.reports else "Correct"
            lab.application(show.name, show.source, show.path, target, drift={"mode": mode})
        for show in shows:
            lab.wait_applied(show.name, revisions[show.source], timeout_seconds=180)
        lab.wait_quiet(seconds=2, timeout_seconds=120)
        yield lab, targets(lab, {show.name for show in shows if show.reports})


def _serve(lab: Lab, show: Show, corpus: Path | None) -> str:
    if not show.folder:
        return lab.repository(show.source, as_files(RICH)).sha()
    assert corpus is not None
    return lab.repository(show.source, files_below(corpus / show.folder, *show.files)).sha()


def targets(lab: Lab, reporting: Collection[str] = ()) -> list[Target]:
    """Every object that the Inventories name, in a fixed order. `reporting`: Applications in Report mode."""
    found = []
    for inventory in lab.client.get(OWN.format(namespace=lab.namespace, plural="inventories"))["items"]:
        application = inventory["spec"]["application"]["name"]
        found += [_target(lab, application, application in reporting, each) for each in inventory["spec"]["entries"]]
    return sorted(found, key=lambda each: (each.application, each.kind, each.path.replace(lab.namespace, "")))


def _target(lab: Lab, application: str, reports: bool, entry: dict[str, Any]) -> Target:
    _, group, kind, namespace, name = entry["key"].split("|")
    api_version = f"{group}/{entry['version']}" if group else entry["version"]
    shown = f"{kind}.{group}" if group else kind
    shown_as = f"{shown}/{namespace}/{name}" if namespace else f"{shown}/{name}"
    return Target(application, reports, lab.path(api_version, kind, namespace, name), shown_as, kind)
