# pathlib would double the time that every start takes, and execve is what this file is for:
# ruff: noqa: PTH110, PTH112, PTH119, PTH123, S606
"""A launcher that gives up rights and then becomes the program asked for. Run as a file, never imported.

`python -I -S sandbox.py DATA_BYTES CPU_SECONDS [--readable PATH | --writable PATH | --network]... -- PROGRAM ARG...`
sets limits, confines file access to reading `readable` and using `writable` folders by Landlock, takes away sockets by
seccomp (unless `network`), and calls execve. With `--probe` instead it prints what this kernel offers, of the words
"files" and "network". Doing this in a process of its own is safe, unlike Python code between fork and exec in a process
with threads. Every rendering waits for it, so it imports little: json alone would add a third to its 25 ms. Exit code
126 and a line on standard error say that a confinement that the kernel offers could not be set up.
"""

import ctypes
import os
import resource
import struct
import sys

_SIGKILL = 9
_PR_SET_PDEATHSIG = 1
_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_PR_GET_SECCOMP = 21
_SECCOMP_MODE_FILTER = 2

_LANDLOCK_CREATE_RULESET = 444
_LANDLOCK_ADD_RULE = 445
_LANDLOCK_RESTRICT_SELF = 446
_LANDLOCK_VERSION_FLAG = 1
_LANDLOCK_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_FS_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many of the file system rights, in the order of the kernel's header, an ABI version knows."""

_LOADERS = (
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-musl-x86_64.so.1",
    "/lib/ld-musl-aarch64.so.1",
)
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")

_SYSCALLS = {
    "x86_64": (0xC000003E, {"socket": 41, "socketpair": 53, "io_uring_setup": 425}),
    "aarch64": (0xC00000B7, {"socket": 198, "socketpair": 199, "io_uring_setup": 425}),
}
_X32_BIT = 0x40000000
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | 13

_LIBC = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def _call(number: int, *arguments: object) -> int:
    result = int(_LIBC.syscall(number, *arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def _prctl(option: int, *arguments: object) -> None:
    if _LIBC.prctl(option, *arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def landlock_abi() -> int:
    """The kernel's Landlock version, 0 where it has none or it is off."""
    try:
        return _call(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_LANDLOCK_VERSION_FLAG))
    except OSError:
        return 0


def has_seccomp() -> bool:
    """Whether this kernel filters system calls, and this module knows the machine's numbers."""
    return os.uname().machine in _SYSCALLS and _LIBC.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) >= 0


def confine_files(readable: list[str], program: str, writable: list[str]) -> None:
    """Allow reading below `readable`, all but running below `writable`, and running `program`; refuse all else."""
    rights = _FS_RIGHTS_BY_ABI[min(landlock_abi(), max(_FS_RIGHTS_BY_ABI))]
    attributes = struct.pack("Q", (1 << rights) - 1)
    ruleset = _call(_LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    loaders = [path for path in _LOADERS if _is_dynamic(program) and os.path.exists(path)]
    libraries = [path for path in _LIBRARIES if loaders and os.path.exists(path)]
    for path in [*readable, *libraries]:
        _grant(ruleset, path, _READ_FILE | _READ_DIR if os.path.isdir(path) else _READ_FILE)
    for path in writable:
        _grant(ruleset, path, ((1 << rights) - 1) & ~_EXECUTE)
    for path in [program, *loaders]:
        _grant(ruleset, path, _READ_FILE | _EXECUTE)
    # Where input goes that nobody wants: some programs do not start without it.
    _grant(ruleset, os.devnull, _READ_FILE | _WRITE_FILE)
    _call(_LANDLOCK_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    os.close(ruleset)


def _grant(ruleset: int, path: str, rights: int) -> None:
    handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    rule = struct.pack("=Qi", rights, handle)
    _call(_LANDLOCK_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_LANDLOCK_PATH_BENEATH), rule, ctypes.c_uint32(0))
    os.close(handle)


def _is_dynamic(program: str) -> bool:
    """Whether a program asks for a loader: its path stands near the head of the file."""
    with open(program, "rb") as file:
        return b"/ld-" in file.read(4096)


def refuse_sockets() -> None:
    """Make every call that could open a socket fail with EACCES; kill what comes through a foreign architecture."""
    architecture, numbers = _SYSCALLS[os.uname().machine]
    refused = sorted(numbers.values())
    count = len(refused)
    steps = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, count + 1, 0, _X32_BIT),
        *((_EQUAL, count - index, 0, number) for index, number in enumerate(refused)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(steps), ctypes.cast(buffer, ctypes.c_void_p))
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0)


def _limit(*, data_bytes: int, cpu_seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (data_bytes, data_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(arguments: list[str]) -> None:
    """Become the program, or say why not."""
    if arguments == ["--probe"]:
        offered = {"files": landlock_abi() > 0, "network": has_seccomp()}
        sys.stdout.write(" ".join(word for word, there in offered.items() if there))
        return
    end = arguments.index("--")
    options, command = arguments[2:end], arguments[end + 1 :]
    paths: dict[str, list[str]] = {"--readable": [], "--writable": []}
    network = False
    while options:
        option = options.pop(0)
        if option == "--network":
            network = True
        else:
            paths[option].append(options.pop(0))
    try:
        _prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
        _prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if landlock_abi():
            confine_files(paths["--readable"], command[0], paths["--writable"])
        if has_seccomp() and not network:
            refuse_sockets()
        _limit(data_bytes=int(arguments[0]), cpu_seconds=int(arguments[1]))
        os.execve(command[0], command, os.environ)
    except OSError as error:
        sys.stderr.write(f"cannot start {os.path.basename(command[0])} confined: {error.strerror}\n")
        sys.exit(126)


if __name__ == "__main__":
    main(sys.argv[1:])
