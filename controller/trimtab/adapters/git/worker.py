"""A worker: serves one request after another until its connection closes, with all that it started.

Forked by `zygote`; frames of `messages` flow in and out. GitPython lives here and only here, so that what it leaks
ends with the process.
"""

import errno
import os
import resource
import select
import signal
import socket
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trimtab.adapters.git import frames
from trimtab.adapters.git.environment import local_environment
from trimtab.adapters.git.messages import (
    AppToken,
    Between,
    Cleanup,
    Fetch,
    FetchLarge,
    LastChanges,
    Materialise,
    Modules,
    RawObject,
    Request,
    Select,
    Tree,
    Trees,
    Warm,
    from_message,
    refusal,
)
from trimtab.core.errors import Problem, SourceError


def serve(connection: socket.socket) -> None:
    """Answer until the main process closes the connection."""
    threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while (message := frames.read(connection)) is not None:
        # Not of fetches alone: what was fetched may be anything, and git reads much of it whole.
        resource.setrlimit(resource.RLIMIT_DATA, (message["max_memory_bytes"], resource.RLIM_INFINITY))
        connection.sendall(frames.encode(answer(from_message(message))))


def answer(request: Request) -> dict[str, Any]:
    """Carry out a request. Here exceptions stop: each becomes problems that hold neither values nor traces."""
    try:
        _prepare(request)
        return _carry_out(request)
    except SourceError as error:
        return refusal(error, broken=error.reason == "MirrorBroken")
    except ImportError:
        problem = Problem("git was not found", reason="GitMissing", remedy="install git 2.37 or newer", retry=True)
    except OSError as error:
        problem = _of_system(error)
    except Exception as error:  # noqa: BLE001 - the boundary
        problem = Problem(
            f"the Git worker failed: {type(error).__name__}",
            reason="GitFailed",
            remedy="it is tried again with a fresh worker; please report this where it lasts",
            retry=True,
        )
    return refusal(SourceError(problem))


def _carry_out(request: Request) -> dict[str, Any]:
    if isinstance(request, Fetch | AppToken):
        return _ask_server(request)
    # Imported at the first request: importing GitPython looks for git, and fails where there is none.
    from trimtab.adapters.git import materialising, modules, raw_objects, selecting, store, trees

    match request:
        case Tree():
            return {"sha": trees.tree_sha(request)}
        case Trees():
            return {"shas": trees.tree_shas(request)}
        case RawObject():
            return {"base64": raw_objects.raw(request)}
        case Select():
            return {"sha": selecting.select(request)}
        case Modules():
            return {"modules": modules.modules(request)}
        case Materialise():
            return {"bytes": materialising.materialise(request)}
        case Cleanup():
            store.clean_up(
                Path(request.mirror),
                kept_commits=request.kept_commits,
                forget_seconds=request.forget_seconds,
                max_history_bytes=request.max_history_bytes,
            )
        case Warm():
            pass
    return {}


def _ask_server(request: Fetch | AppToken) -> dict[str, Any]:
    match request:
        case AppToken():
            # HTTP and TLS in this process, too, which few repositories need; the same for LFS.
            from trimtab.adapters.git.github_app import app_token

            return asdict(app_token(request))
        case FetchLarge():
            from trimtab.adapters.git.large_files import fetch_large

            fetch_large(request)
            return {}
        case _:
            from trimtab.adapters.git import culprits, fetching, history

    match request:
        case Between():
            return history.between(request)
        case LastChanges():
            return {"changes": culprits.last_changes(request)}
        case _:
            return asdict(fetching.fetch(request))


def _prepare(request: Request) -> None:
    """GitPython hands on its own environment, so this process' is made what git shall see."""
    search_path = os.environ.get("PATH", os.defpath)
    ceiling = "/"
    if request.mirror:
        Path(request.mirror).mkdir(parents=True, exist_ok=True)
        ceiling = str(Path(request.mirror).parent)
    os.environ.clear()
    os.environ.update(local_environment(search_path=search_path, ceiling=ceiling))
    if isinstance(request, Fetch) and request.max_pack_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request.max_pack_bytes, resource.RLIM_INFINITY))


def _of_system(error: OSError) -> Problem:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Problem(
            "the controller's disk is full",
            reason="StorageFull",
            remedy="give its data volume more room",
            retry=True,
        )
    return Problem(
        f"the Git worker could not use its files: {errno.errorcode.get(error.errno or 0, 'unknown')}",
        reason="GitFailed",
        remedy="check that the controller may write to its data folder",
        retry=True,
    )


def _end_with(connection: socket.socket) -> None:
    """Wait until the other side is gone, then end this process group, in the midst of whatever it does."""
    watch = select.poll()
    watch.register(connection, 0)
    watch.poll()
    os.killpg(0, signal.SIGKILL)
