"""What a row of the table of attacks says, and how its objects and repositories are made.

A row is data: which advisories it replays, what is laid out, and how the controller must answer. Words in `@…@` stand
for places that are known only when the table is run: see `Ground.filled`.
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from tests.fixtures.git_server import GitRepo, RunningServer
from tests.fixtures.ssh_server import SshServer
from tests.fixtures.web_server import WebServer

from trimtab.adapters.git.bare_repository import Content

Body = dict[str, Any]
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: @name@}\ndata: {key: value}\n"
INTERVAL = "10m"
PASSWORD = "attack-canary-5e1d7c"
"""Of every account; it must be found nowhere."""
TOKEN = base64.b64encode(f"bob:{PASSWORD}".encode()).decode()
"""As the Authorization header carries it."""
PLAIN = "plain"
"""The repository that attacks by a spec alone refer to."""
SHELTER = "shelter"
"""The repository in which most attacks by files lie, one beside the other."""


@dataclass
class Ground:
    """Where the attacks are laid out, and what they are aimed at."""

    namespace: str
    target_namespace: str
    server: RunningServer
    web: WebServer
    elsewhere: WebServer
    """Another host to every client: nobody has credentials for it."""
    ssh: SshServer
    outside: Path
    """A file of the controller's user, outside of every repository."""
    absent: Path
    """None, beside it."""
    markers: Path
    """A folder in which only an attack that works makes files."""
    refused: str
    """Host and port of an address that sources may not reach; somebody listens there."""
    name: str = ""
    """Of the row at hand."""
    shelter: dict[str, Content] = field(default_factory=dict)
    """The files of that repository."""
    visited: Callable[[], bool] = lambda: False
    """Whether anybody came to `refused`."""
    applied: Callable[[str], dict[str, str]] = lambda name: {}
    """What a ConfigMap of the target namespace holds."""

    def filled(self, value: Any) -> Any:
        """The value with the words of this run in place of those in `@…@`."""
        if isinstance(value, str):
            for word, text in self._words().items():
                value = value.replace(f"@{word}@", text)
            return value
        if isinstance(value, Mapping):
            return {self.filled(key): self.filled(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.filled(each) for each in value]
        return value

    def _words(self) -> dict[str, str]:
        return {
            "outside": str(self.outside),
            "absent": str(self.absent),
            # Relative, from any depth that a repository may be written at.
            "up-outside": "../" * 24 + str(self.outside)[1:],
            "up-absent": "../" * 24 + str(self.absent)[1:],
            "marker": str(self.markers / (self.name or "x")),
            "refused": self.refused,
            "refused-port": self.refused.rpartition(":")[2],
            "git": self.server.url,
            "web": self.web.url,
            "web-host": self.web.host,
            "elsewhere": self.elsewhere.url,
            "elsewhere-host": self.elsewhere.host,
            "name": self.name,
        }

    def body(self, kind: str, spec: Mapping[str, Any], *, name: str = "") -> Body:
        """One of our objects."""
        metadata = {"name": name or self.name, "namespace": self.namespace}
        return {
            "apiVersion": "trimtab.dev/v1alpha1",
            "kind": kind,
            "metadata": metadata,
            "spec": self.filled(dict(spec)),
        }

    def secret(self, name: str, **texts: str) -> Body:
        """A Secret beside them."""
        metadata = {"name": name, "namespace": self.namespace}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": self.filled(texts)}

    def source(self, **spec: Any) -> Body:
        """The GitRepository of the row's own repository."""
        return self.body("GitRepository", {"url": f"{self.server.url}/{self.name}.git", "interval": INTERVAL, **spec})

    def application(self, *, kind: str = "GitRepository", source: str = "", **spec: Any) -> Body:
        """The row's Application."""
        return self.body(
            "Application",
            {
                "sourceRef": {"kind": kind, "name": source or self.name},
                "path": "app",
                "prune": True,
                "targetNamespace": self.target_namespace,
                **spec,
            },
        )


Lay = Callable[[Ground], Iterable[Body]]
"""Makes what an attack needs on the servers, and says which objects to create."""


class Answer(StrEnum):
    """How an attack ends."""

    REFUSED = "refused"
    HARMLESS = "without effect"
    """There is nothing to refuse: it is applied, or followed, and the attack in it does nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """A row."""

    name: str
    """Of its objects and repository."""
    replays: tuple[str, ...]
    """Advisories and classes; keys of `advisories.ADVISORIES`."""
    what: str
    lay: Lay
    kind: str = "Application"
    """Of the object that tells."""
    reason: str = ""
    """Of its condition Ready; empty where nothing is refused."""
    words: str = ""
    """What its message must hold."""
    api: str = ""
    """What the API server refuses the object with; it is let in all the same for the rest of the row."""
    twin: str = ""
    """A row aimed at a file that is not there; both must be told in the same words."""
    unseen: tuple[str, ...] = ()
    """What must be in no condition, Event, log line or metric."""
    afterwards: Callable[[Ground], object] = field(default=lambda ground: None)
    """Asserts what else must hold in the end."""

    @property
    def answer(self) -> Answer:
        """How it ends."""
        return Answer.REFUSED if self.reason else Answer.HARMLESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """An attack that no black box can make, shown by other tests."""

    replays: tuple[str, ...]
    what: str
    tests: tuple[str, ...]
    """`path::name`; that they exist is checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotApplicable:
    """What cannot happen here, and why."""

    replays: tuple[str, ...]
    why: str


Row = Attack | Elsewhere | NotApplicable


Files = Mapping[str, Content]


def files(
    content: Files | Callable[[], Files], *, own: bool = False, source: Mapping[str, Any] | None = None, **spec: Any
) -> Lay:
    """Files, and an Application of their folder app.

    They lie in the shelter, in a folder of the row's name, or with `own` or a `source`, which goes into the spec of its
    GitRepository, at the root of a repository of the row's own. Large files come from a function, so that they are made
    only where the table is run.
    """

    def lay(ground: Ground) -> list[Body]:
        made = content() if callable(content) else content
        filled = {ground.filled(path): _content(ground, each) for path, each in made.items()}
        if own or source is not None:
            ground.server.repository(ground.name).commit(filled)
            return [ground.source(**(source or {})), ground.application(**spec)]
        ground.shelter |= {f"{ground.name}/{path}": each for path, each in filled.items()}
        return [ground.application(source=SHELTER, **{"path": f"{ground.name}/app", **spec})]

    return lay


def crafted(make: Callable[[Ground, GitRepo], object], **source: Any) -> Lay:
    """As `files`, of a repository that `make` fills by hand."""

    def lay(ground: Ground) -> list[Body]:
        make(ground, ground.server.repository(ground.name))
        return [ground.source(**source), ground.application()]

    return lay


def git_source(**spec: Any) -> Lay:
    """A GitRepository alone."""
    return lambda ground: [ground.body("GitRepository", {"interval": INTERVAL, "timeout": "60s", **spec})]


def plain_source(**spec: Any) -> Lay:
    """A GitRepository of the plain repository."""
    return git_source(url=f"@git@/{PLAIN}.git", **spec)


def application(**spec: Any) -> Lay:
    """An Application of the plain repository."""
    return lambda ground: [ground.application(source=PLAIN, **spec)]


def oci_source(**spec: Any) -> Lay:
    """An OCIRepository alone."""
    return lambda ground: [
        ground.body("OCIRepository", {"interval": INTERVAL, "insecure": True, "timeout": "60s", **spec})
    ]


def helm_source(**spec: Any) -> Lay:
    """A HelmRepository alone."""
    return lambda ground: [ground.body("HelmRepository", {"interval": INTERVAL, "timeout": "60s", **spec})]


def kustomization(**content: Any) -> str:
    """A kustomization file, as JSON, which is YAML."""
    return json.dumps({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", **content})


def _content(ground: Ground, content: Content) -> Content:
    if isinstance(content, str):
        text: str = ground.filled(content)
        return text
    if content is not None and not isinstance(content, bytes):
        return type(content)(ground.filled(content.target))
    return content
