"""Run a program to its end: no shell, an empty environment, bounded time, output and memory, no network.

The renderer gives argv and what may be read; bytes come back, or a `ProcessFailed` that says which bound was broken.
The program is started through `sandbox`, in a process group of its own that is killed whole when the deadline passes,
the output grows too large, or the caller is cancelled.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SANDBOX: Final = Path(__file__).with_name("sandbox.py")
_LAUNCHER: Final = (sys.executable, "-I", "-S", str(_SANDBOX))
_CHUNK_BYTES: Final = 256 * 1024
_ERROR_BYTES: Final = 64 * 1024
"""What of standard error is kept; the rest is read and dropped."""
_GRACE_SECONDS: Final = 5.0
"""How long the kernel may take to end a killed group."""
_GO_SHARE: Final = 0.8
"""Share of the memory limit at which a Go program's collector works harder, before the kernel refuses memory."""


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """How a program ended by itself; a negative code is the signal that killed it."""

    code: int
    stdout: bytes
    stderr: str


@dataclass(frozen=True, slots=True)
class Confinement:
    """What this kernel offers: reading only what is named (Landlock), no sockets (seccomp)."""

    files: bool
    network: bool


@dataclass(frozen=True, slots=True)
class Opening:
    """What a program is allowed beyond reading: folders to write in, sockets for those that must talk to a service."""

    writable: Sequence[Path] = ()
    network: bool = False


class ProcessFailed(Exception):
    """A program broke a bound or could not be started. The text names the program and the bound."""


async def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    readable: Sequence[Path],
    timeout_seconds: float,
    output_limit_bytes: int,
    memory_limit_bytes: int,
    environment: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    opening: Opening | None = None,
) -> ProcessResult:
    """Run `argv` (its first entry an absolute path) in `cwd`, allowed to read below `readable` only.

    `environment` is all that the program sees beside HOME and GOMEMLIMIT, `stdin` what it reads from a pipe; `opening`
    allows more. Raises ProcessFailed.
    """
    cpu_seconds = max(1, round(timeout_seconds) * 2)
    bounds = [str(memory_limit_bytes), str(cpu_seconds), *_rights(readable, opening or Opening())]
    settings = {
        "HOME": "/nonexistent",
        "GOMEMLIMIT": str(int(memory_limit_bytes * _GO_SHARE)),
        **(environment or {}),
    }
    launch = (*_LAUNCHER, *bounds, "--", *argv)
    name = Path(argv[0]).name
    return await _run(name, launch, cwd, timeout_seconds, output_limit_bytes, settings, stdin=stdin)


def _rights(readable: Sequence[Path], opening: Opening) -> list[str]:
    """What a program may do, in the launcher's words."""
    read = [word for path in readable for word in ("--readable", str(path))]
    written = [word for path in opening.writable for word in ("--writable", str(path))]
    return [*read, *written, *(["--network"] if opening.network else [])]


async def probe() -> Confinement:
    """What the kernel offers; nothing where the launcher does not run at all (another operating system)."""
    try:
        result = await _run("sandbox", (*_LAUNCHER, "--probe"), Path("/"), 10, 1000, {})
    except ProcessFailed:
        return Confinement(files=False, network=False)
    offered = result.stdout.decode(errors="replace").split() if result.code == 0 else []
    return Confinement(files="files" in offered, network="network" in offered)


async def _run(
    name: str,
    argv: Sequence[str],
    cwd: Path,
    timeout_seconds: float,
    output_limit_bytes: int,
    environment: Mapping[str, str],
    *,
    stdin: bytes = b"",
) -> ProcessResult:
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd=cwd,
            env=environment,
            stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise ProcessFailed(f"cannot start {name}: {error.strerror}") from error
    ended = False
    try:
        async with asyncio.timeout(timeout_seconds):
            result = await _collect(process, name, output_limit_bytes, stdin)
        ended = True
        return result
    except TimeoutError as error:
        raise ProcessFailed(f"{name} took longer than {timeout_seconds:g} s and was stopped") from error
    finally:
        if not ended:
            await _end(process)


async def _collect(process: asyncio.subprocess.Process, name: str, limit_bytes: int, stdin: bytes) -> ProcessResult:
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.TaskGroup() as readers:
        errors = readers.create_task(_head(process.stderr))
        output = readers.create_task(_all(process, limit_bytes))
        readers.create_task(_feed(process.stdin, stdin))
    stdout = output.result()
    if stdout is None:
        raise ProcessFailed(f"{name} wrote more than {limit_bytes} bytes and was stopped")
    return ProcessResult(await process.wait(), stdout, errors.result().decode(errors="replace"))


async def _feed(pipe: asyncio.StreamWriter | None, data: bytes) -> None:
    """Write all of the input and end it; a program may stop reading whenever it likes."""
    if pipe is None:
        return
    with suppress(ConnectionError):
        pipe.write(data)
        await pipe.drain()
    pipe.close()
    with suppress(ConnectionError):
        await pipe.wait_closed()


async def _all(process: asyncio.subprocess.Process, limit_bytes: int) -> bytes | None:
    """Everything that comes; as soon as it is too much, the program is killed and None returned."""
    assert process.stdout is not None
    parts: list[bytes] = []
    left = limit_bytes
    while part := await process.stdout.read(_CHUNK_BYTES):
        left -= len(part)
        if left < 0:
            _kill_group(process.pid)
            return None
        parts.append(part)
    return b"".join(parts)


async def _head(stream: asyncio.StreamReader) -> bytes:
    kept = b""
    while part := await stream.read(_CHUNK_BYTES):
        kept += part[: _ERROR_BYTES - len(kept)]
    return kept


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill what is left of the group and read its pipes dry, so that neither a process nor a pipe stays behind."""
    _kill_group(process.pid)
    try:
        async with asyncio.timeout(_GRACE_SECONDS):
            await process.communicate()
    except TimeoutError:
        return


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
