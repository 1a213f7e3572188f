"""`trimtab run`: the controller itself.

Flags and environment flow in as settings; it serves until SIGTERM or SIGINT.
"""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from trimtab.cli.log_lines import log_to_stderr
from trimtab.cli.programs import find_programs
from trimtab.core.names import DEFAULT_NAMESPACE
from trimtab.core.settings import WATCH_IDLE_SECONDS, WATCH_STALE_SECONDS, Settings
from trimtab.source.addresses import check_networks

GARBAGE_THRESHOLDS: Final = (5000, 20, 50)
"""When the collector looks at each generation: an answer of the API server alone is hundreds of objects."""


SourceNetworks = Annotated[
    list[str] | None,
    typer.Option(
        envvar="TRIMTAB_SOURCE_NETWORK",
        help="A network, like 10.1.0.0/16, where sources may be although its addresses are not public; repeatable.",
    ),
]
RestrictSources = Annotated[
    bool,
    typer.Option(
        envvar="TRIMTAB_RESTRICT_SOURCES",
        help="Refuse other than public addresses to sources of the controller's own namespace, too.",
    ),
]


def default_data_dir() -> Path:
    """Where mirrors are kept by default: the user's cache folder."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("trimtab")) / "controller"


def _imported() -> Callable[[Settings], Coroutine[Any, Any, None]]:
    """The controller's own entry, imported with as little memory and collected garbage as can be."""
    from trimtab.handlers.lean_imports import import_lean

    gc.disable()
    import_lean()
    from trimtab.handlers.process import run as serve

    # What was imported stays: a collector that walks it again and again took a fifth of the time of a first apply.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    gc.enable()
    return serve


def _networks(texts: list[str]) -> tuple[str, ...]:
    try:
        return check_networks(texts)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--source-network") from None


def run(
    namespace: Annotated[
        str,
        typer.Option("--namespace", "-n", envvar="TRIMTAB_NAMESPACE", help="Serve the Applications of this namespace."),
    ] = DEFAULT_NAMESPACE,
    kubeconfig: Annotated[
        Path | None, typer.Option(help="Kubeconfig of the cluster; in a pod its own service account is used.")
    ] = None,
    context: Annotated[str | None, typer.Option(help="Context of the kubeconfig.")] = None,
    metrics_bind_address: Annotated[str, typer.Option(help="host:port of /metrics; empty: off.")] = "127.0.0.1:8080",
    health_bind_address: Annotated[
        str, typer.Option(help="host:port of /livez and /readyz; empty: off.")
    ] = "127.0.0.1:8081",
    data_dir: Annotated[
        Path | None, typer.Option(envvar="TRIMTAB_DATA_DIR", help="Where mirrors of repositories are kept.")
    ] = None,
    kustomize: Annotated[
        Path | None, typer.Option(envvar="TRIMTAB_KUSTOMIZE", help="The kustomize program; found on PATH by default.")
    ] = None,
    helm: Annotated[
        Path | None, typer.Option(envvar="TRIMTAB_HELM", help="The helm program; found on PATH by default.")
    ] = None,
    sops: Annotated[
        Path | None, typer.Option(envvar="TRIMTAB_SOPS", help="The sops program; found on PATH by default.")
    ] = None,
    source_network: SourceNetworks = None,
    restrict_sources: RestrictSources = False,
    concurrency: Annotated[int, typer.Option(min=1, help="Reconciliations at the same time.")] = 32,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
    watch_idle_seconds: Annotated[
        float, typer.Option(min=1, hidden=True, help="Open a watch anew after so long a silence.")
    ] = WATCH_IDLE_SECONDS,
    watch_stale_seconds: Annotated[
        float, typer.Option(min=1, hidden=True, help="Fail livez after so long a silence of a watch.")
    ] = WATCH_STALE_SECONDS,
) -> None:
    """Run the controller until it is told to stop.

    Example: trimtab run --namespace trimtab-system --metrics-bind-address 127.0.0.1:8080
    """
    serve = _imported()
    log_to_stderr(log_level)
    programs = find_programs(kustomize=kustomize, helm=helm, sops=sops)
    settings = Settings(
        namespace=namespace,
        kubeconfig=kubeconfig,
        context=context,
        metrics_bind_address=metrics_bind_address,
        health_bind_address=health_bind_address,
        data_dir=data_dir or default_data_dir(),
        kustomize=programs.kustomize,
        helm=programs.helm,
        sops=programs.sops,
        concurrency=concurrency,
        source_networks=_networks(source_network or []),
        restrict_sources=restrict_sources,
        watch_idle_seconds=watch_idle_seconds,
        watch_stale_seconds=watch_stale_seconds,
    )
    asyncio.run(serve(settings))
