"""`trimtab cluster`: start, stop and look at a control plane of one's own, on loopback.

In: the flags and the TRIMTAB_CLUSTER_* variables; out: a running cluster, or words about one on stdout (progress and
errors on stderr). The root command mounts `app`; `trimtab.localcluster` does the work.
"""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from enum import StrEnum
from typing import Annotated, Any, Final

import typer
import yaml

from trimtab.localcluster import Cluster, ClusterError, Component, Lifetime, LocalCluster
from trimtab.localcluster.assets import Finder
from trimtab.localcluster.kind import KindBackend
from trimtab.localcluster.progress import ConsoleProgress
from trimtab.localcluster.registry import ASSETS, CONTROL_PLANE, TOOLS
from trimtab.localcluster.status import ClusterStatus, Phase, names

EXIT_ERROR: Final = 2
EXIT_DEGRADED: Final = 3
EXIT_NOT_RUNNING: Final = 4
_WATCH_SECONDS: Final = 1.0

app = typer.Typer(
    no_args_is_help=True,
    help="Run a real control plane on this machine: etcd, API server, controllers, scheduler and simulated nodes.",
    epilog="Exit codes: 0 done, 2 an error; status: 3 degraded, 4 not running; kubeconfig: 4 no such cluster.",
)


class Backend(StrEnum):
    """Who runs the cluster."""

    LOCAL = "local"
    KIND = "kind"


class Output(StrEnum):
    """How the status is printed."""

    TEXT = "text"
    JSON = "json"
    YAML = "yaml"


Name = Annotated[str, typer.Option("--name", "-n", help="The cluster's name; several can run side by side.")]
Chosen = Annotated[Backend, typer.Option("--backend", help="local needs nothing, kind needs Docker.")]


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except ClusterError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(EXIT_ERROR) from error


def _cluster(backend: Backend, name: str, **settings: Any) -> Cluster:
    progress = ConsoleProgress()
    if backend is Backend.KIND:
        return KindBackend(name=name, progress=progress, **settings)
    return LocalCluster(name=name, progress=progress, **settings)


@app.command(
    epilog="Example: trimtab cluster up --name dev --nodes 3 && export KUBECONFIG=$(trimtab cluster kubeconfig -n dev)"
)
def up(
    name: Name = "default",
    backend: Chosen = Backend.LOCAL,
    nodes: Annotated[int, typer.Option("--nodes", min=1, max=1000, help="Worker nodes.")] = 2,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay, and take the cluster down with its data on Ctrl-C.")
    ] = False,
    apiserver_arg: Annotated[
        list[str] | None, typer.Option("--apiserver-arg", help="One more flag for kube-apiserver; may be repeated.")
    ] = None,
) -> None:
    """Start a cluster, or what is missing of it, and wait until it is ready. The first time fetches the programs."""
    with _explained():
        settings: dict[str, Any] = {"nodes": nodes}
        if backend is Backend.LOCAL:
            lifetime = Lifetime.ATTACHED if foreground else Lifetime.DETACHED
            settings |= {"lifetime": lifetime, "apiserver_arguments": apiserver_arg or ()}
        elif foreground or apiserver_arg:
            raise typer.BadParameter("--foreground and --apiserver-arg are for the local backend")
        cluster = _cluster(backend, name, **settings)
        before = cluster.status()
        if before.phase is Phase.RUNNING and before.nodes >= nodes:
            _announce(cluster.status(), "is running already")
            if not foreground:
                return
            raise ClusterError("it was started elsewhere", remedy="take it down first, or choose another --name")
        if backend is Backend.LOCAL:
            Finder.from_environment().find([*CONTROL_PLANE, *TOOLS], progress=ConsoleProgress())
        with _stopped_by_signals() if foreground else nullcontext() as stopped:
            started_seconds = time.monotonic()
            _start(cluster, backend)
            _announce(cluster.status(), f"is ready after {time.monotonic() - started_seconds:.1f} s")
            if stopped is not None:
                _stay(cluster, stopped)


@app.command(epilog="Example: trimtab cluster down --name dev")
def down(
    name: Name = "default",
    backend: Chosen = Backend.LOCAL,
    all_clusters: Annotated[bool, typer.Option("--all", help="Every local cluster of this user.")] = False,
) -> None:
    """Stop a cluster and remove its data; does nothing where there is none."""
    with _explained():
        for each in names(os.environ) if all_clusters else [name]:
            cluster = _cluster(backend, each)
            was_there = cluster.status().phase is not Phase.ABSENT
            cluster.stop()
            typer.echo(f"cluster {each} {'is gone, with its data' if was_there else 'does not exist'}")


@app.command(epilog="Example: trimtab cluster status --name dev -o json")
def status(
    name: Name = "default",
    backend: Chosen = Backend.LOCAL,
    output: Annotated[Output, typer.Option("--output", "-o", help="The form of the answer.")] = Output.TEXT,
    all_clusters: Annotated[bool, typer.Option("--all", help="A list of every local cluster of this user.")] = False,
) -> None:
    """Say whether a cluster runs, part by part; exits 0 where it does, 3 where it is degraded, 4 where it does not."""
    with _explained():
        if all_clusters:
            found = [_cluster(Backend.LOCAL, each).status() for each in names(os.environ)]
            _print([each.document() for each in found], output, "\n".join(map(_line, found)) or "no clusters")
            return
        one = _cluster(backend, name).status()
        _print(one.document(), output, "\n".join([_line(one), *_parts(one)]))
    _exit_by(one)


@app.command(epilog="Example: export KUBECONFIG=$(trimtab cluster kubeconfig --name dev)")
def kubeconfig(
    name: Name = "default",
    backend: Chosen = Backend.LOCAL,
    content: Annotated[bool, typer.Option("--content", help="Print the file itself, private key included.")] = False,
) -> None:
    """Print the path of a cluster's kubeconfig, or its content."""
    with _explained():
        one = _cluster(backend, name).status()
        if one.kubeconfig is None:
            typer.echo(
                f"Error: there is no cluster {name!r} (start it with `trimtab cluster up --name {name}`)", err=True
            )
            raise typer.Exit(EXIT_NOT_RUNNING)
        typer.echo(one.kubeconfig.read_text() if content else str(one.kubeconfig), nl=not content)


@app.command(epilog="Example: TRIMTAB_CLUSTER_SOURCE=build trimtab cluster programs")
def programs() -> None:
    """Fetch all programs that a cluster needs, without starting one, and print where they are."""
    with _explained():
        for name, path in Finder.from_environment().find([*CONTROL_PLANE, *TOOLS], progress=ConsoleProgress()).items():
            typer.echo(f"{name:<24} {ASSETS[name].version:<9} {path}")


def _start(cluster: Cluster, backend: Backend) -> None:
    if backend is Backend.KIND:
        cluster.start()
        return
    with ConsoleProgress().step(f"starting cluster {cluster.name}"):
        cluster.start()


def _announce(found: ClusterStatus, what: str) -> None:
    typer.echo(f"cluster {found.name} {what}: {found.server}")
    typer.echo(f"export KUBECONFIG={found.kubeconfig}")


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set; the signals have their old meaning again afterwards."""
    stopped = threading.Event()
    old = {number: signal.signal(number, lambda *_: stopped.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def _stay(cluster: Cluster, stopped: threading.Event) -> None:
    """Wait for the end: asked for, or because a component has ended; raises ClusterError in the second case."""
    dead: list[str] = []
    try:
        while not dead and not stopped.wait(_WATCH_SECONDS):
            dead = [part.name for part in cluster.status().components if part.pid is None]
    finally:
        cluster.stop()
    if dead:
        raise ClusterError(f"{', '.join(dead)} ended by itself; the cluster was taken down")
    typer.echo(f"cluster {cluster.name} is gone, with its data")


def _print(document: object, output: Output, text: str) -> None:
    match output:
        case Output.JSON:
            typer.echo(json.dumps(document, indent=2))
        case Output.YAML:
            typer.echo(yaml.safe_dump(document, sort_keys=False), nl=False)
        case Output.TEXT:
            typer.echo(text)


def _line(found: ClusterStatus) -> str:
    where = f", {found.nodes} nodes, {found.server}" if found.phase is not Phase.ABSENT else ""
    return f"cluster {found.name}: {found.phase}{where}"


def _parts(found: ClusterStatus) -> list[str]:
    width = max(len(component) for component in Component)
    return [
        f"  {part.name:<{width}}  {f'pid {part.pid}' if part.pid else f'not running, see {part.log}'}"
        for part in found.components
    ]


def _exit_by(found: ClusterStatus) -> None:
    match found.phase:
        case Phase.RUNNING:
            return
        case Phase.DEGRADED:
            raise typer.Exit(EXIT_DEGRADED)
        case Phase.STOPPED | Phase.ABSENT:
            raise typer.Exit(EXIT_NOT_RUNNING)
