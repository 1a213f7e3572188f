"""Hostile repositories and specs over one controller: each is refused with a reason, and a neighbour goes on meanwhile.

The controller runs with canaries beside it: files, a listener and a Secret of another namespace that nobody may reach.
"""

import json
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.fixtures.cluster import wait_for
from tests.fixtures.git_server import Fault, GitRepo
from tests.fixtures.lab import Lab

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{key: {value}}}\n"
TOKEN = "hostile-canary-7f3a"
MIB = 1024 * 1024
_BLAME = re.compile(r" \[last changed by [^]]*\]")


@dataclass
class Neighbour:
    """An honest Application of the same controller, on a repository of its own."""

    lab: Lab
    namespace: str
    repository: Any
    rounds: int = 0
    _values: list[str] = field(default_factory=list)

    def goes_on(self) -> None:
        """A commit of the neighbour is applied, and a hand edit healed, now."""
        self.rounds += 1
        value = f"v{self.rounds}"
        self.repository.commit({"app/a.yaml": CONFIG_MAP.format(name="honest", value=value)})
        self.lab.poke("honest")
        wait_for(lambda: self._value() == value, what="the neighbour's commit")
        self.lab.kubectl("patch", "configmap", "honest", "-n", self.namespace, "-p", '{"data": {"key": "edited"}}')
        wait_for(lambda: self._value() == value, what="the neighbour's healing")

    def _value(self) -> str:
        value: str = self.lab.kubectl.get("configmap", "honest", "-n", self.namespace)["data"]["key"]
        return value


@pytest.fixture
def neighbour(lab: Lab, namespace: str) -> Neighbour:
    repository = lab.repository("honest", {"app/a.yaml": CONFIG_MAP.format(name="honest", value="v0")})
    lab.application("honest", "honest", "app", targetNamespace=namespace)
    lab.wait_applied("honest", repository.sha())
    return Neighbour(lab, namespace, repository)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file of the controller's user outside of any repository."""
    path = tmp_path / "outside.yaml"
    path.write_text(CONFIG_MAP.format(name="stolen", value=TOKEN))
    return path


@pytest.fixture
def listener() -> Iterator[tuple[str, Callable[[], bool]]]:
    """An address where nobody has any business, and whether somebody came."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)

        def visited() -> bool:
            try:
                server.accept()[0].close()
            except BlockingIOError:
                return False
            return True

        yield f"127.0.0.1:{server.getsockname()[1]}", visited


def refuse(lab: Lab, name: str, files: dict[str, str | bytes], *, path: str = "app", seconds: float = 150) -> str:
    """The message with which an Application of these files ends as not ready."""
    repository = lab.server.repository(name)
    repository.commit(files, "Hostile")
    return refused_repository(lab, name, repository, path=path, seconds=seconds)


def refused_repository(lab: Lab, name: str, repository: GitRepo, *, path: str = "app", seconds: float = 150) -> str:
    lab.declare("GitRepository", name, {"url": repository.url, "interval": "10m"})
    lab.application(name, name, path, targetNamespace=f"{lab.namespace}-never")
    found = lab.wait_condition(name, "Ready", "False", timeout_seconds=seconds)
    return f"{found['reason']}: {found['message']}"


def kustomization(*lines: str) -> str:
    return "\n".join(lines) + "\n"


def test_paths_out_of_the_repository_lead_nowhere(lab: Lab, neighbour: Neighbour, outside: Path, listener):
    address, visited = listener
    absent = outside.with_name("absent.yaml")
    up = "../" * 12
    told: dict[str, str] = {}
    for case, target in (("there", outside), ("absent", absent)):
        told[f"absolute {case}"] = _with_link(lab, f"link-absolute-{case}", str(target))
        told[f"relative {case}"] = _with_link(lab, f"link-relative-{case}", up + str(target)[1:])
        told[f"kustomize {case}"] = refuse(
            lab, f"kustomize-{case}", {"app/kustomization.yaml": kustomization(f"resources: [{up}{str(target)[1:]}]")}
        )
        told[f"generator {case}"] = refuse(
            lab,
            f"generator-{case}",
            {"app/kustomization.yaml": kustomization("configMapGenerator:", "- name: g", f"  files: [{target}]")},
        )
    told["remote"] = refuse(
        lab, "remote", {"app/kustomization.yaml": kustomization(f"resources: ['http://{address}/base?ref=main']")}
    )
    told["exec plugin"] = refuse(
        lab,
        "plugin",
        {
            "app/kustomization.yaml": kustomization("transformers: [plugin.yaml]"),
            "app/plugin.yaml": "apiVersion: x\nkind: Run\nmetadata:\n  name: run\n  annotations:\n"
            "    config.kubernetes.io/function: '{exec: {path: /bin/sh}}'\n",
        },
    )
    told["helm"] = refuse(
        lab,
        "helm",
        {"app/kustomization.yaml": kustomization("helmCharts:", "- name: x", f"  repo: http://{address}/charts")},
    )
    neighbour.goes_on()

    assert not visited(), "nothing is fetched while rendering"
    everything = (
        json.dumps(told) + lab.controller.log() + lab.kubectl("get", "tapp,events", "-n", lab.namespace, "-o", "yaml")
    )
    assert TOKEN not in everything
    assert str(lab.controller.folder) not in "".join(told.values()), "no message tells what is on the host"
    for case in ("absolute", "relative", "kustomize", "generator"):
        # Who last changed the file is found out in the background, of either at its own time.
        there, absent_one = (
            re.sub(r" \[last changed by [^]]*\]", "", told[f"{case} {each}"]) for each in ("there", "absent")
        )
        same = there.replace("there", "absent").replace("outside.yaml", "absent.yaml")
        assert same == absent_one, "whether a file exists is not told"
    assert not lab.kubectl.run("get", "configmap", "stolen", "-n", f"{lab.namespace}-never").stdout


def _with_link(lab: Lab, name: str, target: str) -> str:
    repository = lab.server.repository(name)
    blob = repository.git("hash-object", "-w", "--stdin", stdin=target.encode())
    tree = repository.git("mktree", stdin=f"120000 blob {blob}\tlink.yaml\n".encode())
    root = repository.git("mktree", stdin=f"040000 tree {tree}\tapp\n".encode())
    identity = ("-c", "user.name=x", "-c", "user.email=x@x")
    repository.force("main", repository.git(*identity, "commit-tree", root, "-m", "Link"))
    return refused_repository(lab, name, repository)


def test_bombs_are_refused_and_cost_little(lab: Lab, neighbour: Neighbour):
    process = psutil.Process(lab.controller.pid)
    before = process.memory_info().rss
    aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    told = {
        "aliases": refuse(lab, "aliases", {"app/a.yaml": "apiVersion: v1\nkind: ConfigMap\n" + aliases}),
        "deep": refuse(lab, "deep", {"app/a.yaml": "a: " + "[" * 5000 + "]" * 5000 + "\n"}),
        "deep json": refuse(lab, "deep-json", {"app/a.json": '{"kind": "x", "a": ' + "[" * 9000 + "]" * 9000 + "}"}),
        "huge": refuse(lab, "huge", {"app/a.yaml": b"a: " + b"x" * (40 * MIB) + b"\n"}),
        "tiny nodes": refuse(lab, "tiny", {"app/a.yaml": b"a: [" + b"{}," * (4 * MIB) + b"{}]\n"}),
        "many": refuse(lab, "many", {f"app/{n}.yaml": "" for n in range(25_000)}),
        "loop": refuse(
            lab,
            "loop",
            {
                "app/kustomization.yaml": kustomization("resources: [../other]"),
                "other/kustomization.yaml": kustomization("resources: [../app]"),
            },
        ),
        "wide": refuse(lab, "wide", _wide_kustomizations()),
    }
    neighbour.goes_on()

    expected = {
        "aliases": "aliases expand",
        "deep": "deeper than",
        "deep json": "deeper than",
        "huge": "larger than",
        "many": "files",
    }
    for case, words in expected.items():
        assert words in told[case], told
    assert process.memory_info().rss - before < 400 * MIB


def _wide_kustomizations() -> dict[str, str | bytes]:
    """Each level asks ten times for the one below, under another prefix: 10^6 objects of one."""
    files: dict[str, str | bytes] = {}
    for level in range(6):
        names = [f"../{level}-{n}" for n in range(10)]
        below = "app" if level == 0 else f"{level - 1}"
        for n in range(10):
            folder = below if level == 0 else f"{below}-{n}"
            files[f"{folder}/kustomization.yaml"] = kustomization(
                f"namePrefix: p{n}-", f"resources: {json.dumps(names)}"
            )
    for n in range(10):
        files[f"5-{n}/kustomization.yaml"] = kustomization(f"namePrefix: q{n}-", "resources: [a.yaml]")
        files[f"5-{n}/a.yaml"] = CONFIG_MAP.format(name="a", value="b")
    return files


HOSTILE_URLS = (
    "ext::sh -c touch% {marker}",
    "--upload-pack=touch {marker}",
    "file://{marker}",
    "https://-oProxyCommand=touch{marker}/x",
    "http://user:word@127.0.0.1/x.git",
    "http://127.0.0.1/x.git?x=$(touch {marker})",
    "http://127.0.0.1/\nx.git",
    "ssh://git@127.0.0.1/x.git",
    "http://127.0.0.1:1/$HOME/x.git",
)
HOSTILE_REFS = (
    {"branch": "--upload-pack=touch {marker}"},
    {"branch": "-q"},
    {"branch": "a..b"},
    {"branch": "main:refs/heads/x"},
    {"tag": "v1\n--exec=touch"},
    {"commit": "--output=" + "a" * 31},
)
HOSTILE_PATHS = ("../../../etc", "/etc", "--output=/tmp/x", "app/../../..", ":(top)*", "app\nx", "-z", "app/\x1b[31m")


def test_options_in_urls_refs_and_paths_are_words_at_most(lab: Lab, neighbour: Neighbour, tmp_path: Path):
    marker = tmp_path / "marker"
    lab.server.repository("plain").commit({"app/a.yaml": CONFIG_MAP.format(name="a", value="b")}, "Begin")
    url = f"{lab.server.url}/plain.git"
    names = []
    for number, text in enumerate(HOSTILE_URLS):
        names += _declared(lab, f"url-{number}", {"url": text.replace("{marker}", str(marker))})
    for number, ref in enumerate(HOSTILE_REFS):
        wanted = {key: value.replace("{marker}", str(marker)) for key, value in ref.items()}
        names += _declared(lab, f"ref-{number}", {"url": url, "ref": wanted})
    lab.declare("GitRepository", "plain", {"url": url, "interval": "10m"})
    for number, path in enumerate(HOSTILE_PATHS):
        spec = {"sourceRef": {"name": "plain"}, "path": path, "prune": True}
        names += _declared(lab, f"path-{number}", spec, kind="Application")
    for name, kind in names:
        lab.wait_condition(name, "Ready", "False", of=kind)
    neighbour.goes_on()

    assert not marker.exists()
    log = lab.controller.log()
    assert "Traceback" not in log
    assert all(line.isprintable() for line in log.splitlines())


def _declared(lab: Lab, name: str, spec: dict[str, Any], *, kind: str = "GitRepository") -> list[tuple[str, str]]:
    """The object, where the API server takes it at all; that it refuses it is the better end."""
    metadata = {"name": name, "namespace": lab.namespace}
    body = {"apiVersion": "trimtab.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}
    done = lab.kubectl.run("apply", "-f", "-", stdin=json.dumps(body))
    return [(name, "tgit" if kind == "GitRepository" else "tapp")] if done.returncode == 0 else []


def test_servers_that_stall_redirect_or_never_end_hold_up_nobody(
    lab: Lab, neighbour: Neighbour, tmp_path: Path, listener
):
    from tests.fixtures.git_server import RunningServer

    address, visited = listener
    root = tmp_path / "hostile"
    root.mkdir()
    with RunningServer(root) as server:
        repository = server.repository("x")
        repository.commit({"app/a.yaml": ""}, "Begin")
        server.faults.location = f"http://{address}/x.git"
        faults = (Fault.STALL_BEFORE, Fault.REDIRECT, Fault.ENDLESS, Fault.NOT_GIT)
        told = {}
        for fault in faults:
            server.faults.never()
            server.faults.always(fault)
            names = [f"{fault.name.lower().replace('_', '-')}-{n}" for n in range(6)]
            for name in names:
                lab.declare(
                    "GitRepository", name, {"url": f"{repository.url}?".rstrip("?"), "timeout": "3s", "interval": "1m"}
                )
            neighbour.goes_on()
            told[fault] = lab.wait_condition(names[0], "Ready", "False", of="tgit", timeout_seconds=60)
            lab.kubectl("delete", "tgit", *names, "-n", lab.namespace)

    assert told[Fault.STALL_BEFORE]["reason"] == "TimedOut"
    assert told[Fault.REDIRECT]["reason"] == "Redirected"
    assert address in told[Fault.REDIRECT]["message"]
    assert not visited(), "a redirect is not followed"


def test_hostile_files_steer_no_terminal_and_forge_no_line(lab: Lab, neighbour: Neighbour):
    told = refuse(
        lab, "escapes", {"app/\x1b]0;owned\x07 2026 ERROR root.yaml": "kind: [\n", "app/b.yaml": 'kind: "\\e[2J"\n'}
    )
    neighbour.goes_on()

    assert told.isprintable(), repr(told)
    assert "\x1b" not in lab.controller.log()
