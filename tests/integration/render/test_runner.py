"""Programs run under their bounds: deadline, output, memory, files, network; and nothing of them stays."""

import asyncio
import os
import socket
import sys
from pathlib import Path

import psutil
import pytest
from tests.fixtures.processes import arguments

from trimtab.adapters.process.runner import Confinement, Opening, ProcessFailed, probe, run

LIBRARIES = [Path(path) for path in {sys.prefix, sys.base_prefix, "/usr", "/lib", "/dev/null"}]
PYTHON = str(Path(sys.executable).resolve())


@pytest.fixture
def python(tmp_path):
    """Run Python code in the sandbox, in an own folder that it may read."""

    async def start(code, *, timeout_seconds=30.0, output=1000, memory=512 * 1024 * 1024, environment=None, **more):
        return await run(
            [PYTHON, "-I", "-S", "-c", code],
            cwd=tmp_path,
            readable=[tmp_path, *LIBRARIES],
            timeout_seconds=timeout_seconds,
            output_limit_bytes=output,
            memory_limit_bytes=memory,
            environment=environment,
            **more,
        )

    return start


async def test_output_and_code_come_back(python):
    result = await python("import sys; print('out'); sys.stderr.write('err'); sys.exit(3)")
    assert (result.code, result.stdout, result.stderr) == (3, b"out\n", "err")


async def test_the_environment_is_empty_but_for_what_is_given(python, monkeypatch):
    monkeypatch.setenv("CANARY", "hunter2")
    result = await python("import os; print(sorted(os.environ.items()))", environment={"EXTRA": "x"})
    found = dict(eval(result.stdout))
    found.pop("LC_CTYPE", None)
    assert found == {"EXTRA": "x", "HOME": "/nonexistent", "GOMEMLIMIT": str(int(512 * 1024 * 1024 * 0.8))}


async def test_there_is_no_input(python):
    assert (await python("import sys; print(repr(sys.stdin.read()))")).stdout == b"''\n"


async def test_input_goes_in_whole_or_as_far_as_it_is_read(python):
    data = os.urandom(3_000_000)
    count = await python("import sys; print(len(sys.stdin.buffer.read()))", stdin=data)
    assert count.stdout == b"3000000\n"
    assert (await python("import sys; print(len(sys.stdin.buffer.read(5)))", stdin=data)).stdout == b"5\n"
    with pytest.raises(ProcessFailed, match="was stopped"):
        await python("import time; time.sleep(60)", stdin=data, timeout_seconds=1)


async def test_only_the_folder_that_is_opened_is_written_to(python, tmp_path):
    (tmp_path / "open").mkdir()
    code = """
import os, sys
for name in ("open/a", "closed"):
    try:
        open(name, "w").write("x")
        print(name, "written")
    except PermissionError:
        print(name, "refused")
try:
    os.chmod("open/a", 0o700)
    os.execv("open/a", ["a"])
except PermissionError:
    print("not run")
"""
    result = await python(code, opening=Opening(writable=[tmp_path / "open"]))
    assert result.stdout == b"open/a written\nclosed refused\nnot run\n"


async def test_sockets_are_there_only_where_they_are_opened(python):
    code = "import socket; socket.socket(); print('there')"
    assert (await python(code, opening=Opening(network=True))).stdout == b"there\n"
    assert b"there" not in (await python(code)).stdout


async def test_a_deadline_ends_the_whole_group(python):
    code = "import os, time; pid = os.fork(); print(os.getpid(), flush=True); time.sleep(600)"
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    with pytest.raises(ProcessFailed, match="took longer than 1 s and was stopped"):
        await python(code, timeout_seconds=1)
    assert {process.pid for process in psutil.Process().children(recursive=True)} <= before


async def test_a_child_that_keeps_the_pipe_is_killed_with_the_group(python):
    code = "import os, sys, time\nif os.fork() == 0:\n    print(os.getpid(), flush=True)\n    time.sleep(600)"
    with pytest.raises(ProcessFailed, match="took longer"):
        await python(code, timeout_seconds=1)
    left = [p for p in psutil.process_iter(["cmdline"]) if code in (p.info["cmdline"] or [])]
    assert left == []


async def test_a_cancelled_caller_leaves_nothing(python):
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    task = asyncio.create_task(python("import time; time.sleep(600)"))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert {process.pid for process in psutil.Process().children(recursive=True)} <= before


async def test_too_much_output_stops_the_program(python):
    with pytest.raises(ProcessFailed, match="wrote more than 1000 bytes and was stopped"):
        await python("while True: print('x' * 1000)")


async def test_errors_are_read_to_their_end_and_kept_in_part(python):
    result = await python("import sys; sys.stderr.write('e' * 10_000_000); print('done')")
    assert (result.stdout, len(result.stderr)) == (b"done\n", 64 * 1024)


async def test_memory_is_bounded(python):
    result = await python("x = bytearray(400 * 1024 * 1024)", memory=100 * 1024 * 1024)
    assert result.code != 0
    assert "MemoryError" in result.stderr


async def test_files_outside_are_out_of_reach(python, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "token").write_text("hunter2")
    reading = await python(f"print(open({str(outside / 'token')!r}).read())")
    writing = await python("open('new', 'w')")
    listing = await python(f"import os; print(os.listdir({str(outside)!r}))")
    starting = await python("import os; os.execv('/bin/sh', ['sh', '-c', 'echo ran'])")
    assert all("PermissionError" in result.stderr for result in (reading, writing, listing, starting))
    assert b"hunter2" not in reading.stdout + listing.stdout


async def test_no_socket_opens(python):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        result = await python(f"import socket; socket.create_connection({address!r})")
    unix = await python("import socket; socket.socket(socket.AF_UNIX)")
    pair = await python("import socket; socket.socketpair()")
    assert all("PermissionError" in one.stderr for one in (result, unix, pair))


async def test_the_probe_tells_what_the_kernel_offers():
    assert await probe() == Confinement(files=True, network=True), "a kernel from 5.13 on, with Landlock and seccomp"


async def test_a_program_that_is_not_there_is_told(tmp_path):
    result = await run(
        ["/nonexistent/tool"],
        cwd=tmp_path,
        readable=[],
        timeout_seconds=10,
        output_limit_bytes=10,
        memory_limit_bytes=1 << 28,
    )
    assert result.code == 126
    assert "cannot start tool confined: No such file or directory" in result.stderr


async def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ProcessFailed, match="cannot start tool: No such file or directory"):
        await run(
            ["/nonexistent/tool"],
            cwd=tmp_path / "absent",
            readable=[],
            timeout_seconds=10,
            output_limit_bytes=10,
            memory_limit_bytes=1 << 28,
        )


async def test_programs_die_with_their_parent(tmp_path):
    code = (
        "import asyncio, os\nfrom pathlib import Path\nfrom trimtab.adapters.process.runner import run\n"
        f"asyncio.run(run([{PYTHON!r}, '-I', '-S', '-c', 'import time; time.sleep(600)'], cwd=Path('/'),"
        f" readable=[Path(p) for p in {[str(path) for path in LIBRARIES]!r}], timeout_seconds=60,"
        " output_limit_bytes=10, memory_limit_bytes=1 << 28))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "controller")}
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", code, env=environment)
    children: list[psutil.Process] = []
    while not children:
        await asyncio.sleep(0.05)
        children = [
            one for one in psutil.Process(parent.pid).children() if "time.sleep(600)" in " ".join(arguments([one]))
        ]
    await asyncio.sleep(0.3)
    parent.kill()
    await parent.wait()
    _, alive = await asyncio.to_thread(psutil.wait_procs, children, timeout=5)
    assert alive == []
