"""The scene of the git faults: real git servers over HTTP and SSH, lanes of one Application each, proxies between.

A lab whose controller does not run yet flows in. Lanes flow out, each with a repository that the campaign commits to;
what the API server and the controller tell of them is asked here.
"""

import base64
import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.campaign.git_faults.http_proxy import HttpProxy
from tests.campaign.git_faults.proxy import GitProxy
from tests.campaign.git_faults.ssh_proxy import SshProxy
from tests.campaign.git_faults.strikes import Transport
from tests.fixtures.git_server import Authority, RunningServer
from tests.fixtures.lab import Lab
from tests.fixtures.ssh_server import SshKey, SshServer

from trimtab.adapters.git.bare_repository import BareRepository

USER: Final = "bob"
PASSWORD: Final = "sesame-9Xq-open"
SECRETS: Final = (PASSWORD, base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode())
TIMEOUTS: Final = {Transport.HTTP: 1.0, Transport.HTTPS: 1.0, Transport.SSH: 3.0}
"""spec.timeout in seconds while a fault lasts: the least that the schema allows; ssh logs in twice, and needs more."""
PATIENT_SECONDS: Final = 60.0
"""The same where all is well, however busy the machine is."""
HOMES: Final = (Transport.HTTP, Transport.HTTPS, Transport.SSH)
"""One lane each: as many as ask servers at the same time, so that no fetch waits for another."""
_MERGE: Final = "application/merge-patch+json"
_NOT_OURS: Final = ("kube-root-ca.crt", "trimtab-instance")


@dataclass
class Lane:
    """An Application of its own repository. `declared` is what Git says, by name."""

    name: str
    home: Transport
    repository: BareRepository
    proxies: Mapping[Transport, GitProxy]
    user: str
    folder: Path
    declared: dict[str, str] = field(default_factory=dict)
    places: set[str] = field(default_factory=set)
    """All URLs under which it was ever declared: as many mirrors."""

    def url(self, transport: Transport, alias: str = "") -> str:
        """Its repository's address through the proxy; with an alias, one under which nobody has asked yet."""
        path = self.repository.path
        if alias:
            path = path.with_name(f"{self.name}-{alias}.git")
            if not path.is_symlink():
                path.symlink_to(self.repository.path.name)
        port = self.proxies[transport].port
        if transport is Transport.SSH:
            return f"ssh://{self.user}@127.0.0.1:{port}{path}"
        return f"{transport}://127.0.0.1:{port}/{path.name}"


class Scene:
    """The lanes, and the questions that are asked about them."""

    def __init__(self, lab: Lab, lanes: list[Lane]) -> None:
        self.lab = lab
        self.lanes = lanes

    def spec(
        self,
        lane: Lane,
        transport: Transport,
        *,
        alias: str = "",
        commit: str = "",
        timeout_seconds: float = PATIENT_SECONDS,
    ) -> dict[str, Any]:
        """What a GitRepository declares; merged into what is there, it takes away what is not asked for."""
        url = lane.url(transport, alias)
        lane.places.add(url)
        ref = {"branch": "main", "commit": commit or None}
        timeout = f"{timeout_seconds:g}s"
        return {"url": url, "timeout": timeout, "secretRef": {"name": f"login-{transport}"}, "ref": ref}

    def patch(self, lane: Lane, token: str, spec: Mapping[str, Any]) -> None:
        """Change a GitRepository and ask for a reconciliation."""
        annotations = {"reconcile.trimtab.dev/requestedAt": token}
        body = {"metadata": {"annotations": annotations}, "spec": spec}
        self.lab.cluster.client.request("PATCH", self._own("gitrepositories", lane.name), body, media_type=_MERGE)

    def status(self, lane: Lane, plural: str = "gitrepositories") -> dict[str, Any]:
        """The status of the lane's GitRepository, or of its Application."""
        found: dict[str, Any] = self.lab.cluster.client.get(self._own(plural, lane.name)).get("status") or {}
        return found

    def live(self, lane: Lane) -> dict[str, tuple[str, str]]:
        """Value and UID of each ConfigMap of the lane."""
        path = f"/api/v1/namespaces/{self.lab.namespace}/configmaps"
        items = {item["metadata"]["name"]: item for item in self.lab.cluster.client.get(path)["items"]}
        return {
            name: (item["data"]["value"], item["metadata"]["uid"])
            for name, item in items.items()
            if name not in _NOT_OURS and name.startswith(f"{lane.name}-")
        }

    def told(self) -> str:
        """Everything that people and programs can read of the controller's work."""
        namespace, client = self.lab.namespace, self.lab.cluster.client
        events = client.get(f"/apis/events.k8s.io/v1/namespaces/{namespace}/events")["items"]
        own = [self.status(lane, plural) for lane in self.lanes for plural in ("gitrepositories", "applications")]
        return f"{events}{own}{self.lab.controller.metrics()}{self.lab.controller.log()}"

    def _own(self, plural: str, name: str) -> str:
        return f"/apis/trimtab.dev/v1alpha1/namespaces/{self.lab.namespace}/{plural}/{name}"


def ready(status: Mapping[str, Any]) -> dict[str, Any]:
    """The condition; empty before it is there."""
    return next((each for each in status.get("conditions") or () if each["type"] == "Ready"), {})


@contextmanager
def scene(lab: Lab) -> Iterator[Scene]:
    """Servers, proxies, Secrets, and one declared Application per lane; the controller is the caller's to start."""
    folder = lab.folder
    authority = Authority.make(folder)
    key = SshKey.make(folder / "key")
    with ExitStack() as stack:
        server = stack.enter_context(RunningServer(folder / "repositories", username=USER, password=PASSWORD))
        sshd = stack.enter_context(SshServer(folder / "sshd"))
        sshd.authorize(key)
        http_port = int(server.url.rpartition(":")[2])
        made = [
            _lane(folder, home, http_port, authority.context, sshd, number, stack) for number, home in enumerate(HOMES)
        ]
        _secrets(lab, made, authority, key, sshd)
        opened = Scene(lab, made)
        for lane in made:
            spec = opened.spec(lane, lane.home)
            spec["ref"].pop("commit")
            lab.declare("GitRepository", lane.name, {**spec, "interval": "1h"})
            lab.application(lane.name, lane.name, "app", interval="1h")
        yield opened


def _lane(
    folder: Path,
    home: Transport,
    http_port: int,
    tls: ssl.SSLContext,
    sshd: SshServer,
    number: int,
    stack: ExitStack,
) -> Lane:
    proxies: dict[Transport, GitProxy] = {
        Transport.HTTP: HttpProxy(http_port),
        Transport.HTTPS: HttpProxy(http_port, tls=tls),
        Transport.SSH: SshProxy(sshd.port),
    }
    for proxy in proxies.values():
        proxy.open()
        stack.callback(proxy.close)
    name = f"lane{number}"
    repository = BareRepository.create(folder / "repositories" / f"{name}.git")
    return Lane(name, home, repository, proxies, sshd.user, folder)


def _secrets(lab: Lab, lanes: list[Lane], authority: Authority, key: SshKey, sshd: SshServer) -> None:
    kind, host_key = sshd.host_key.public.split()[:2]
    ports = [lane.proxies[Transport.SSH].port for lane in lanes]
    login = {"username": USER, "password": PASSWORD}
    contents = {
        Transport.HTTP: login,
        Transport.HTTPS: login | {"ca.crt": authority.pem},
        Transport.SSH: {
            "identity": key.private,
            "known_hosts": "".join(f"[127.0.0.1]:{port} {kind} {host_key}\n" for port in ports),
        },
    }
    for transport, content in contents.items():
        body = {"metadata": {"name": f"login-{transport}"}, "stringData": content}
        lab.cluster.client.create(f"/api/v1/namespaces/{lab.namespace}/secrets", body)
