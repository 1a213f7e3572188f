"""What the bench's monorepo holds: Applications of many teams, and far more files that none of them reads.

Sizes flow in; paths, texts by path and version, and the specs of Applications flow out, the same at every run.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import yaml

Body = dict[str, Any]

APPLICATIONS_OF_A_TEAM: Final = 10
_BASES: Final = ("web", "worker", "cron", "cache", "proxy", "queue")
_FOLDERS: Final = ("src", "src/handlers", "src/models", "web/components", "web/pages", "test", "docs")
_LINES: Final = 16
_WORDS: Final = (
    *("account", "basket", "cursor", "digest", "engine", "filter", "gather", "header", "import", "jitter"),
    *("kernel", "ledger", "mirror", "normal", "object", "parcel", "quorum", "record", "signal", "tensor"),
)


@dataclass(frozen=True, slots=True)
class App:
    """One Application's folder: plain manifests, or an overlay over a base that others share."""

    number: int

    @property
    def name(self) -> str:
        """Of the Application."""
        return f"app-{self.number:03d}"

    @property
    def team(self) -> str:
        """Whose it is."""
        return f"team-{self.number // APPLICATIONS_OF_A_TEAM:02d}"

    @property
    def layered(self) -> bool:
        """Whether kustomize builds it: every second one."""
        return self.number % 2 == 1

    @property
    def home(self) -> str:
        """The folder with all that belongs to it."""
        return f"teams/{self.team}/{self.name}"

    @property
    def path(self) -> str:
        """The folder that is applied."""
        return f"{self.home}/{'overlays/production' if self.layered else 'deploy'}"

    @property
    def settings(self) -> str:
        """A file of that folder: its version is in a ConfigMap."""
        return f"{self.path}/settings.yaml"

    @property
    def readme(self) -> str:
        """A file that no Application reads."""
        return f"{self.home}/README.md"

    @property
    def base(self) -> str:
        """What it is laid over."""
        return f"bases/{_BASES[self.number % len(_BASES)]}"


@dataclass(frozen=True)
class Monorepo:
    """So many files in all, those of so many Applications among them. Raises ValueError where they are too few."""

    files: int
    applications: int

    @cached_property
    def apps(self) -> list[App]:
        """All of them."""
        return [App(number) for number in range(self.applications)]

    @cached_property
    def paths(self) -> list[str]:
        """The paths of all files."""
        read = [*_base_paths(), *(path for app in self.apps for path in _app_paths(app))]
        if len(read) > self.files:
            raise ValueError(f"{self.applications} Applications have {len(read)} files, more than {self.files}")
        unread = _unread_paths(self.apps)
        return [*read, *(next(unread) for _ in range(self.files - len(read)))]

    def text(self, path: str, version: int = 0) -> str:
        """What a file holds in its version; other versions are other texts."""
        folder, _, name = path.rpartition("/")
        if folder.startswith("bases/"):
            return _base_text(folder.removeprefix("bases/"), name, version)
        if not path.startswith("teams/") or name not in _MANIFESTS:
            return _plain_text(path, version)
        app = App(int(path.split("/")[2].removeprefix("app-")))
        manifest = _overlay_part(app, name, version) if "/overlays/" in path else _manifest(app.name, name, version)
        return yaml.safe_dump(manifest, sort_keys=False)

    def specs(self, *, namespace_prefix: str) -> dict[str, Body]:
        """Application → spec without its source; each team has a namespace."""
        return {
            app.name: {"path": app.path, "prune": True, "targetNamespace": f"{namespace_prefix}{app.team}"}
            for app in self.apps
        }

    def teams(self) -> list[str]:
        """All teams."""
        return sorted({app.team for app in self.apps})


_MANIFESTS: Final = frozenset(
    {"account.yaml", "settings.yaml", "files.yaml", "service.yaml", "deployment.yaml", "kustomization.yaml"}
)


def _base_paths() -> Iterator[str]:
    for base in _BASES:
        for name in ("account.yaml", "settings.yaml", "service.yaml", "deployment.yaml", "kustomization.yaml"):
            yield f"bases/{base}/{name}"


def _app_paths(app: App) -> Iterator[str]:
    yield app.readme
    if app.layered:
        for stage in ("production", "staging"):
            for name in ("kustomization.yaml", "settings.yaml"):
                yield f"{app.home}/overlays/{stage}/{name}"
        return
    for name in ("account.yaml", "settings.yaml", "files.yaml", "service.yaml", "deployment.yaml"):
        yield f"{app.path}/{name}"


def _unread_paths(apps: list[App]) -> Iterator[str]:
    """Without end: sources, tests and pages of every Application in turn."""
    yield "README.md"
    round_ = 0
    while True:
        for app in apps:
            folder = _FOLDERS[round_ % len(_FOLDERS)]
            yield f"{app.home}/{folder}/{_WORDS[round_ % len(_WORDS)]}_{round_:03d}.py"
        round_ += 1


def _plain_text(path: str, version: int) -> str:
    chance = random.Random(path)
    lines = [f"# {path}, version {version}"]
    lines += [f"{chance.choice(_WORDS)} = {chance.choice(_WORDS)!r} * {chance.randrange(10**6)}" for _ in range(_LINES)]
    return "\n".join(lines) + "\n"


def _base_text(base: str, name: str, version: int) -> str:
    if name != "kustomization.yaml":
        return yaml.safe_dump(_manifest(base, name, version), sort_keys=False)
    resources = ["account.yaml", "settings.yaml", "service.yaml", "deployment.yaml"]
    return yaml.safe_dump({"resources": resources, "commonAnnotations": {"bench.example/base": base}})


def _overlay_part(app: App, name: str, version: int) -> Body:
    base = app.base.removeprefix("bases/")
    if name == "settings.yaml":
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"{base}-settings"},
            "data": {"OVERLAY": str(version), "OWNER": app.team},
        }
    return {
        "resources": [f"../../../../../{app.base}"],
        "namePrefix": f"{app.name}-",
        "labels": [{"pairs": {"app.kubernetes.io/instance": app.name}, "includeSelectors": True}],
        "patches": [{"path": "settings.yaml"}],
    }


def _manifest(name: str, file: str, version: int) -> Body:
    labels = {"app.kubernetes.io/name": name}

    def body(api_version: str, kind: str, suffix: str = "", **rest: Any) -> Body:
        metadata = {"name": f"{name}{suffix}", "labels": labels.copy()}
        return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}

    match file:
        case "account.yaml":
            return body("v1", "ServiceAccount", automountServiceAccountToken=False)
        case "settings.yaml":
            words = {word.upper(): f"{name}-{word}" for word in _WORDS}
            return body("v1", "ConfigMap", "-settings", data={"TURN": str(version), **words})
        case "files.yaml":
            return body("v1", "ConfigMap", "-files", data={"application.yaml": _plain_text(name, 0)})
        case "service.yaml":
            return body("v1", "Service", spec={"selector": labels.copy(), "ports": [{"port": 80, "protocol": "TCP"}]})
        case _:
            container = {"name": "main", "image": f"registry.example/{name}:1.0.0"}
            pod = {"serviceAccountName": name, "containers": [container]}
            template = {"metadata": {"labels": labels.copy()}, "spec": pod}
            spec = {"replicas": 0, "selector": {"matchLabels": labels.copy()}, "template": template}
            return body("apps/v1", "Deployment", spec=spec)
