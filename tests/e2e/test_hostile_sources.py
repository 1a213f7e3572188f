"""The table of attacks, replayed over one controller: each row is refused in clear words, or has no effect.

Around the controller lie a home full of traps, files that nobody may open, folders in which nobody may make a file,
and a listener at an address that sources may not reach. See `tests/e2e/hostile` for the rows.
"""

import json
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest
from tests.e2e.hostile.addresses import STRICT_HOSTS
from tests.e2e.hostile.attack import CONFIG_MAP, PASSWORD, PLAIN, TOKEN, Attack, Ground
from tests.e2e.hostile.battle import PATIENCE_SECONDS, Battle, is_answered
from tests.e2e.hostile.table import ATTACKS
from tests.e2e.hostile.watching import Watch
from tests.fixtures.cluster import Kubectl, wait_for
from tests.fixtures.github import AppKey
from tests.fixtures.lab import Lab, make_lab
from tests.fixtures.ssh_server import SshKey, SshServer
from tests.fixtures.web_server import WebServer

from trimtab.core.visible import visible
from trimtab.localcluster import Cluster

CANARY = "outside-canary-7f3a9c"
MEMORY_BYTES = 768 * 1024 * 1024
"""What the controller's own process may have held at its worst moment."""
_BLAME = re.compile(r" \[(line )?last changed by [^]]*\]")


class Listener:
    """At a loopback address that the controller is not allowed to reach."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.2", 0))
        self._socket.setblocking(False)
        self._came = False
        self.address = f"127.0.0.2:{self._socket.getsockname()[1]}"

    def visited(self) -> bool:
        """Whether anybody came, ever."""
        try:
            self._socket.accept()[0].close()
            self._came = True
        except BlockingIOError:
            pass
        return self._came

    def close(self) -> None:
        self._socket.close()


class Traps:
    """Files and folders around the controller, watched."""

    def __init__(self, folder: Path, system: Path) -> None:
        self.outside = folder / "outside" / "there.yaml"
        self.markers = folder / "markers"
        self.home = folder / "home"
        self.temporary = folder / "temporary"
        for each in (self.outside.parent, self.markers, self.home, self.temporary, folder / "controller"):
            each.mkdir()
        self.files = [self.outside, folder / "controller" / "beside", system / "canary", self.temporary / "canary"]
        for each in self.files:
            each.write_text(CONFIG_MAP.replace("@name@", "stolen").replace("value", CANARY))
        self._furnish_home()

    def environment(self) -> dict[str, str]:
        """What an administrator's shell may have set."""
        touch = str(self.home / "askpass")
        return {
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "GIT_ASKPASS": touch,
            "SSH_ASKPASS": touch,
            "SSH_ASKPASS_REQUIRE": "force",
            "GIT_SSH_COMMAND": touch,
            "GIT_PROXY_COMMAND": touch,
            "GIT_EXTERNAL_DIFF": touch,
            "GIT_TEMPLATE_DIR": str(self.home),
            "GIT_CONFIG_GLOBAL": str(self.home / ".gitconfig"),
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "http.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {TOKEN}",
            "NETRC": str(self.home / ".netrc"),
            "DOCKER_CONFIG": str(self.home / ".docker"),
        }

    def watch(self) -> Watch:
        """From now on."""
        folders = [self.home, *(path for path in self.home.rglob("*") if path.is_dir())]
        return Watch([*self.files, self.outside.parent, self.markers, *folders])

    def _furnish_home(self) -> None:
        command = f"touch {self.markers}/home"
        texts = {
            ".netrc": f"machine 127.0.0.1 login bob password {PASSWORD}\n",
            ".git-credentials": f"http://bob:{PASSWORD}@127.0.0.1\n",
            ".gitconfig": f'[credential]\n\thelper = "!{command}"\n[http]\n'
            f"\textraHeader = Authorization: Basic {TOKEN}\n[core]\n\tsshCommand = {command}\n",
            ".ssh/config": f"Host *\n\tProxyCommand {command}\n\tStrictHostKeyChecking no\n",
            ".ssh/known_hosts": "",
            ".docker/config.json": json.dumps({"auths": {"127.0.0.1": {"auth": TOKEN}}, "credsStore": "evil"}),
            ".config/helm/repositories.yaml": "repositories: []\n",
            ".config/sops/age/keys.txt": "AGE-SECRET-KEY-1\n",
            "askpass": f"#!/bin/sh\n{command}\necho {PASSWORD}\n",
        }
        for name, text in texts.items():
            path = self.home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (self.home / "askpass").chmod(0o755)


@pytest.fixture(scope="module")
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def traps(stack: ExitStack, folder: Path) -> Traps:
    system = Path(tempfile.mkdtemp(prefix="trimtab-test-"))
    stack.callback(shutil.rmtree, system)
    return Traps(folder, system)


@pytest.fixture(scope="module")
def watch(stack: ExitStack, traps: Traps) -> Watch:
    return stack.enter_context(closing(traps.watch()))


@pytest.fixture(scope="module")
def lab(stack: ExitStack, cluster: Cluster, folder: Path, traps: Traps) -> Lab:
    flags = ("--restrict-sources", "--source-network", "127.0.0.1/32")
    made = make_lab(cluster, folder, flags=flags, environment=traps.environment())
    stack.callback(end, made)
    return made


@pytest.fixture(scope="module")
def ground(stack: ExitStack, lab: Lab, folder: Path, traps: Traps, kubectl: Kubectl) -> Ground:
    listener = stack.enter_context(closing(Listener()))
    web, elsewhere = WebServer(), WebServer()
    stack.callback(web.stop)
    stack.callback(elsewhere.stop)
    ssh = stack.enter_context(SshServer(folder / "sshd"))
    SshKey.make(ssh.folder / "other_key")
    (ssh.folder / "app.pem").write_text(AppKey.make().private)
    target = f"{lab.namespace}-target"
    kubectl("create", "namespace", target)
    stack.callback(kubectl.run, "delete", "namespace", target, "--wait=false")
    lab.server.repository(PLAIN).commit({"app/a.yaml": CONFIG_MAP.replace("@name@", "plain")})

    def applied(name: str) -> dict[str, str]:
        found: dict[str, str] = kubectl.get("configmap", name, "-n", target)["data"]
        return found

    return Ground(
        namespace=lab.namespace,
        target_namespace=target,
        server=lab.server,
        web=web,
        elsewhere=elsewhere,
        ssh=ssh,
        outside=traps.outside,
        absent=traps.outside.with_name("gone.yaml"),
        markers=traps.markers,
        refused=listener.address,
        visited=listener.visited,
        applied=applied,
    )


def end(lab: Lab) -> None:
    """Stop it; its hundreds of objects go with the cluster, for their teardown takes longer than the tests."""
    lab.controller.stop()
    lab.server.stop()


def start(lab: Lab) -> None:
    """Start the controller, however busy the machine is."""
    lab.controller.start(ready=False)
    wait_for(lab.controller.is_ready, timeout_seconds=PATIENCE_SECONDS, what="readyz")


@pytest.fixture(scope="module")
def battle(lab: Lab, ground: Ground, watch: Watch) -> Battle:
    start(lab)
    ground.name = PLAIN
    lab.declare("GitRepository", PLAIN, {"url": f"{lab.server.url}/{PLAIN}.git", "interval": "10m"})
    made = Battle(lab, ground)
    made.fight(ATTACKS)
    return made


@pytest.fixture(scope="module")
def told(battle: Battle, kubectl: Kubectl) -> dict[str, str]:
    """All that others may read, by place."""
    kinds = "applications,gitrepositories,ocirepositories,helmrepositories,inventories,events"
    namespaces = (battle.ground.namespace, battle.ground.target_namespace)
    # What somebody wrote into a spec stands there; what the controller says is everything else.
    shown = [json.loads(kubectl("get", kinds, "-n", namespaces[0], "-o", "json", "--show-managed-fields"))["items"]]
    shown.append(json.loads(kubectl("get", "configmaps,events", "-n", namespaces[1], "-o", "json"))["items"])
    for item in (each for items in shown for each in items):
        if item["kind"] in {attack.kind for attack in ATTACKS}:
            item.pop("spec")
            item["metadata"].pop("annotations", None)
    return {
        "kinds, Events, applied objects": json.dumps(shown),
        "log": battle.lab.controller.log(),
        "metrics": battle.lab.controller.metrics(),
    }


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_every_attack_is_answered(battle: Battle, told: dict[str, str], attack: Attack):
    condition = battle.conditions[attack.name]
    battle.ground.name = attack.name
    assert is_answered(attack, condition), condition
    assert visible(condition["message"]) == condition["message"], "nothing in it steers a terminal"
    for word in battle.ground.filled(list(attack.unseen)):
        assert word not in condition["message"]
    attack.afterwards(battle.ground)


@pytest.mark.parametrize("attack", [each for each in ATTACKS if each.api], ids=lambda attack: attack.name)
def test_the_api_server_refuses_it_first(battle: Battle, attack: Attack):
    assert attack.api in battle.refusals.get(attack.name, "taken"), battle.refusals.get(attack.name)
    assert PASSWORD not in battle.refusals[attack.name]


@pytest.mark.parametrize("attack", [each for each in ATTACKS if each.twin], ids=lambda attack: attack.name)
def test_nobody_learns_whether_a_file_is_there(battle: Battle, attack: Attack):
    def words(name: str) -> str:
        text = _BLAME.sub("", f"{battle.conditions[name]['reason']}: {battle.conditions[name]['message']}")
        text = text.replace(str(battle.ground.outside), str(battle.ground.absent))
        return text.replace(name, attack.twin).replace(battle.ground.outside.name, battle.ground.absent.name)

    assert words(attack.name) == words(attack.twin)


def test_neighbours_went_on_meanwhile(battle: Battle):
    assert battle.rounds_meanwhile > 0


def test_all_of_them_together_cost_little_memory(battle: Battle):
    status = Path(f"/proc/{battle.lab.controller.pid}/status").read_text()
    most = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert most is not None
    assert int(most[1]) * 1024 < MEMORY_BYTES


def test_nothing_outside_was_opened_or_made(battle: Battle, watch: Watch, traps: Traps):
    assert watch.seen() == []
    assert list(traps.markers.iterdir()) == []
    assert [path.name for path in traps.temporary.iterdir()] == ["canary"]
    # That the watch sees anything at all:
    traps.outside.read_text()
    (traps.markers / "x").touch()
    assert {f"{traps.outside} was read", f"{traps.markers / 'x'} was made"} <= set(watch.seen())
    (traps.markers / "x").unlink()
    watch.seen()


def test_no_secret_and_nothing_from_outside_is_told(battle: Battle, told: dict[str, str]):
    for place, text in told.items():
        for word in (CANARY, PASSWORD, TOKEN):
            assert word not in text, f"{place}: …{text[max(text.find(word) - 300, 0) :][:400]}…"


def test_nothing_from_outside_lies_in_the_data_folder(battle: Battle):
    read = 0
    for folder, _, names in os.walk(battle.lab.controller.folder / "data"):
        for path in (Path(folder, name) for name in names):
            # The controller works on: what it has taken away since is no place for a secret.
            with suppress(FileNotFoundError):
                if path.is_file() and not path.is_symlink():
                    content = path.read_bytes()
                    read += 1
                    assert CANARY.encode() not in content, path
                    assert PASSWORD.encode() not in content, path
    assert read


def test_the_log_has_no_traceback_and_steers_no_terminal(told: dict[str, str]):
    assert "Traceback" not in told["log"]
    assert [line for line in told["log"].splitlines() if not line.isprintable()] == []


@pytest.mark.parametrize("host", STRICT_HOSTS)
def test_loopback_is_refused_where_no_network_is_allowed(strict: Lab, host: str):
    name = f"host-{STRICT_HOSTS.index(host)}"
    for kind, url in (
        ("GitRepository", f"http://{host}/x.git"),
        ("OCIRepository", f"oci://{host}/x/y"),
        ("HelmRepository", f"http://{host}/x"),
    ):
        strict.declare(kind, name, {"url": url, "interval": "10m"})
    for kind in ("tgit", "toci", "thelm"):
        found = strict.wait_condition(name, "Ready", "False", of=kind, timeout_seconds=PATIENCE_SECONDS)
        unusual = kind != "tgit" and host in {"127.1", "2130706433"}
        assert found["reason"] == ("InvalidURL" if unusual else "AddressRefused")


@pytest.fixture(scope="module")
def strict(stack: ExitStack, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    made = make_lab(cluster, tmp_path_factory.mktemp("strict"), flags=("--restrict-sources",))
    stack.callback(end, made)
    start(made)
    return made
