"""What a Git repository or its server may hold to get at whoever clones it."""

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, Final

from tests.e2e.hostile.attack import (
    CONFIG_MAP,
    INTERVAL,
    PLAIN,
    Attack,
    Body,
    Elsewhere,
    Ground,
    Lay,
    NotApplicable,
    Row,
    crafted,
    files,
    git_source,
)
from tests.fixtures.git_server import GitRepo
from tests.fixtures.web_server import Asked, Page

from trimtab.adapters.git.bare_repository import BareRepository, Link

_PACKS: Final = ("CVE-2023-49569", "CVE-2025-21614", "CVE-2026-71556", "CVE-2026-71557")
_SUBMODULES: Final = ("CVE-2018-11235", "CVE-2024-32002", "CVE-2025-48384")
_HOOK: Final = "#!/bin/sh\ntouch @marker@\n"
_PLAIN: Final = {"app/a.yaml": CONFIG_MAP}


def raw_object(repository: GitRepo, kind: str, data: bytes) -> str:
    """Write an object that git's own commands would not make."""
    whole = f"{kind} {len(data)}\0".encode() + data
    sha = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
    path = repository.path / "objects" / sha[:2] / sha[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zlib.compress(whole))
    return sha


def commit_of(repository: GitRepo, tree: str, *, author: str = "A <a@x>") -> None:
    """Point main at a commit of a tree that git would not make."""
    data = f"tree {tree}\nauthor {author} 1700000000 +0000\ncommitter A <a@x> 1700000000 +0000\n\nx\n"
    # git itself would not have a ref name such a thing.
    (repository.path / "refs" / "heads" / "main").write_text(raw_object(repository, "commit", data.encode()) + "\n")


def blob(repository: GitRepo, text: str) -> str:
    return repository.git("hash-object", "-w", "--stdin", stdin=text.encode())


def tree_of(repository: GitRepo, *rows: tuple[str, bytes, str]) -> str:
    """A tree of mode, name and SHA, whatever they are like."""
    return raw_object(
        repository,
        "tree",
        b"".join(mode.encode() + b" " + name + b"\0" + bytes.fromhex(sha) for mode, name, sha in rows),
    )


def _dot_git(name: bytes) -> Lay:
    """A folder that a file system may take for .git, with a hook in it."""

    def make(ground: Ground, repository: GitRepo) -> None:
        hook = blob(repository, ground.filled(_HOOK))
        hooks = tree_of(repository, ("100755", b"post-checkout", hook))
        app = tree_of(repository, ("100644", b"a.yaml", blob(repository, ground.filled(CONFIG_MAP))))
        rows = [("40000", b"app", app), ("40000", name, tree_of(repository, ("40000", b"hooks", hooks)))]
        commit_of(repository, tree_of(repository, *sorted(rows, key=lambda row: row[1] + b"/")))

    return crafted(make)


def _trees() -> Iterator[Row]:
    refused: dict[str, Any] = {"replays": (*_PACKS, *_SUBMODULES), "kind": "GitRepository", "reason": "ContentRefused"}
    names = {
        "plain": b".git",
        "upper": b".GIT",
        "mixed": b".Git",
        "short": b"git~1",
        "ignorable": ".g\u200cit".encode(),
        "stream": b".git::$INDEX_ALLOCATION",
        "dot": b".git.",
        "up": b"..",
        "here": b".",
    }
    for name, raw in names.items():
        yield Attack(name=f"tree-{name}", what=f"a folder {raw.decode()!a}", lay=_dot_git(raw), **refused)
    for name, what, rows in (
        ("slash", "a name with a slash in it", [("100644", b"../../x")]),
        ("empty", "an empty name", [("100644", b"")]),
        ("twice", "a file and a folder of one name", [("100644", b"a"), ("40000", b"a")]),
    ):
        yield Attack(name=f"tree-{name}", what=what, lay=_tree(rows), **refused)
    yield Attack(
        name="tree-mode",
        what="a mode that is none",
        lay=_tree([("000000", b"a.yaml")]),
        replays=_PACKS,
        reason="PathNotFound",
    )
    yield Attack(
        name="tree-not-utf8",
        what="a name that is no text",
        lay=_tree([("100644", b"\xff\xfe\x1b[2J")]),
        replays=_PACKS,
        reason="ContentRefused",
        words="not named in UTF-8",
    )


def _tree(rows: Sequence[tuple[str, bytes]]) -> Lay:
    def make(ground: Ground, repository: GitRepo) -> None:
        held = blob(repository, "x")
        inner = tree_of(repository, ("100644", b"x", held))
        app = tree_of(repository, *((mode, name, inner if mode == "40000" else held) for mode, name in rows))
        commit_of(repository, tree_of(repository, ("40000", b"app", app)))

    return crafted(make)


def _objects() -> Iterator[Row]:
    refused: dict[str, Any] = {"replays": _PACKS, "kind": "GitRepository"}

    def missing(ground: Ground, repository: GitRepo) -> None:
        app = tree_of(repository, ("100644", b"a.yaml", "1" * 40))
        commit_of(repository, tree_of(repository, ("40000", b"app", app)))

    yield Attack(
        name="pack-missing",
        what="a commit whose file is nowhere",
        lay=crafted(missing),
        reason="ContentRefused",
        **refused,
    )

    def swapped(ground: Ground, repository: GitRepo) -> None:
        held = blob(repository, "x")
        commit_of(repository, held)

    yield Attack(
        name="pack-swapped",
        what="a commit whose tree is a file",
        lay=crafted(swapped),
        reason="ContentRefused",
        **refused,
    )

    def rotten(ground: Ground, repository: GitRepo) -> None:
        commit_of(repository, "x" * 40)

    yield Attack(
        name="pack-rotten", what="a commit that names no tree", lay=crafted(rotten), reason="RefNotFound", **refused
    )
    yield Attack(
        name="pack-huge-count",
        what="a pack that announces 4 billion objects",
        lay=_speaking(b"PACK\0\0\0\2\xff\xff\xff\xff"),
        reason="TransferFailed",
        **refused,
    )
    for name, what, rows, reason in (
        (
            "option",
            "a server whose branch is named as an option",
            [b"refs/heads/--upload-pack=touch @marker@"],
            "RefNotFound",
        ),
        ("climbing", "a server whose branch climbs out", [b"refs/heads/../../../hooks/post-checkout"], "RefNotFound"),
        ("control", "a server whose branches steer a terminal", [b"refs/heads/\x1b]0;owned\x07"], "RefNotFound"),
        ("symref", "a server whose HEAD points out of refs", [b"HEAD\0symref=HEAD:../../outside"], "RefNotFound"),
    ):
        yield Attack(name=f"refs-{name}", what=what, lay=_advertising(rows), reason=reason, **refused)


def _line(content: bytes) -> bytes:
    return b"%04x%b" % (len(content) + 4, content)


def _advertising(names: Sequence[bytes]) -> Lay:
    """A server, of protocol 0, of these refs."""

    def lay(ground: Ground) -> list[Body]:
        rows = [b"1" * 40 + b" " + ground.filled(name.decode()).encode() for name in names]
        first, *rest = rows
        first = first if b"\0" in first else first + b"\0"
        body = _line(b"# service=git-upload-pack\n") + b"0000" + _line(first + b" agent=x\n")
        body += b"".join(_line(row + b"\n") for row in rest) + b"0000"
        headers = {"Content-Type": "application/x-git-upload-pack-advertisement"}
        ground.web.routes[f"/{ground.name}.git/info/refs"] = Page(body, headers=headers)
        return list(git_source(url=f"@web@/{ground.name}.git")(ground))

    return lay


def _speaking(pack: bytes) -> Lay:
    """A server that has main, and answers whoever wants it with these bytes."""

    def lay(ground: Ground) -> list[Body]:
        list(_advertising([b"refs/heads/main\0shallow allow-tip-sha1-in-want ofs-delta"])(ground))
        shallow = _line(b"shallow " + b"1" * 40) + b"0000"
        headers = {"Content-Type": "application/x-git-upload-pack-result"}

        def answer(asked: Asked) -> Page:
            return Page(shallow + (_line(b"NAK\n") + pack if b"done" in asked.body else b""), headers=headers)

        ground.web.routes[f"/{ground.name}.git/git-upload-pack"] = answer
        return list(git_source(url=f"@web@/{ground.name}.git")(ground))

    return lay


def _module(
    gitmodules: str, path: bytes = b"lib", *, recurse: bool = True, extra: Sequence[tuple[str, bytes, str]] = ()
) -> Lay:
    """A repository with a submodule, declared by this .gitmodules."""

    def make(ground: Ground, repository: GitRepo) -> None:
        app = tree_of(repository, ("100644", b"a.yaml", blob(repository, ground.filled(CONFIG_MAP))))
        declared = blob(repository, ground.filled(gitmodules))
        made = [(mode, name, blob(repository, ground.filled(text))) for mode, name, text in extra]
        *above, name = path.split(b"/")
        # A commit that is there, so that nothing but the attack is in the way.
        module = ("160000", name, BareRepository(ground.server.root / f"{PLAIN}.git").sha())
        for folder in reversed(above):
            module = ("40000", folder, tree_of(repository, module))
        rows = [("100644", b".gitmodules", declared), ("40000", b"app", app), module, *made]
        commit_of(repository, tree_of(repository, *sorted(rows, key=lambda row: row[1] + b"/" * (row[0] == "40000"))))

    return crafted(make, recurseSubmodules=recurse)


def _declared(url: str, *, name: str = "lib", path: str = "lib", more: str = "") -> str:
    return f'[submodule "{name}"]\n\tpath = {path}\n\turl = {url}\n{more}'


_MODULES: Final[tuple[tuple[str, str, str, str], ...]] = (
    ("ext", "a submodule at ext::", _declared("ext::sh -c touch% @marker@"), "SubmoduleRefused"),
    ("file", "a submodule at file://", _declared("file://@outside@"), "SubmoduleRefused"),
    ("path", "a submodule at a path of the machine", _declared("@outside@"), "SubmoduleRefused"),
    ("git", "a submodule at git://", _declared("git://127.0.0.1/x"), "SubmoduleRefused"),
    ("up", "a submodule relative to above the server", _declared("../../../../../x"), "SubmoduleRefused"),
    (
        "password",
        "a submodule with a password in its URL",
        _declared("http://bob:word@127.0.0.1/x"),
        "SubmoduleRefused",
    ),
    ("environment", "a submodule with $HOME in its URL", _declared("https://$HOME@127.0.0.1/x"), "SubmoduleRefused"),
    (
        "refused",
        "a submodule at an address that sources may not reach",
        _declared("http://@refused@/x"),
        "AddressRefused",
    ),
    ("option", "a submodule at --upload-pack=", _declared("--upload-pack=touch @marker@"), "ContentRefused"),
    ("option-late", "a submodule at -u", _declared("-utouch @marker@"), "ContentRefused"),
    (
        "newline",
        "a submodule with a line break in its URL",
        _declared('"https://h/x\\n--upload-pack=touch @marker@"'),
        "ContentRefused",
    ),
    (
        "carriage",
        "a submodule path that ends with a carriage return",
        _declared("https://127.0.0.1:1/x", path='"lib\r"'),
        "SubmoduleRefused",
    ),
    (
        "name-up",
        "a submodule of the name ../../x",
        _declared("https://127.0.0.1:1/x", name="../../x"),
        "ContentRefused",
    ),
    (
        "path-option",
        "a submodule at a path that is an option",
        _declared("https://127.0.0.1:1/x", path="-lib"),
        "ContentRefused",
    ),
    (
        "include",
        "a .gitmodules that includes a file of the controller",
        "[include]\n\tpath = @outside@\n" + _declared("../plain.git"),
        "",
    ),
    (
        "include-if",
        "a .gitmodules that includes one conditionally",
        '[includeIf "gitdir:/"]\n\tpath = @outside@\n' + _declared("../plain.git"),
        "",
    ),
    (
        "update",
        "a submodule with a command to update it",
        _declared("../plain.git", more="\tupdate = !touch @marker@\n"),
        "ContentRefused",
    ),
)


def _submodules() -> Iterator[Row]:
    for name, what, text, reason in _MODULES:
        replays: tuple[str, ...] = _SUBMODULES
        if "include" in name:
            replays = ("GHSA-7833-fr7j-v32q",)
        elif name in {"ext", "option", "option-late", "newline", "environment"}:
            replays = (*_SUBMODULES, "CVE-2022-24439", "GHSA-rwj8-pgh3-r573", "CVE-2025-21613")
        elif name == "refused":
            replays = ("CVE-2026-44936",)
        yield Attack(
            name=f"module-{name}", what=what, replays=replays, lay=_module(text), kind="GitRepository", reason=reason
        )
    for name, path in (("git", b".git"), ("case", b".Git")):
        yield Attack(
            name=f"module-into-{name}",
            what=f"a submodule at the path {path.decode()}",
            replays=_SUBMODULES,
            lay=_module(_declared("../plain.git", path=path.decode()), path),
            kind="GitRepository",
            reason="ContentRefused",
        )
    yield Attack(
        name="module-link-case",
        what="a link to .git whose name differs in case from a submodule's folder",
        replays=("CVE-2024-32002",),
        lay=_module(_declared("../plain.git", path="A/modules/x"), b"A/modules/x", extra=[("120000", b"a", ".git")]),
    )
    yield Attack(
        name="module-file-link",
        what=".gitmodules that is a link",
        replays=("GHSA-7833-fr7j-v32q", "CVE-2018-11235"),
        lay=files({".gitmodules": Link("@outside@"), **_PLAIN}, source={"recurseSubmodules": True}),
        kind="GitRepository",
        reason="ContentRefused",
    )
    yield Attack(
        name="module-off",
        what="submodules that nobody asked for",
        replays=_SUBMODULES,
        lay=_module(_declared("http://@refused@/x"), recurse=False),
    )


def _machine() -> Iterator[Row]:
    attributes = "* filter=evil diff=evil merge=evil export-subst working-tree-encoding=UTF-16\n"
    config = '[filter "evil"]\n\tsmudge = touch @marker@\n[core]\n\tfsmonitor = touch @marker@\n'
    yield Attack(
        name="hooks",
        what="hooks, filters and configuration among a repository's files",
        replays=("CVE-2024-32465", "CVE-2018-11235", "CVE-2022-39253"),
        lay=files(
            {
                **_PLAIN,
                ".gitattributes": attributes,
                ".gitconfig": config,
                ".lfsconfig": "[lfs]\n\turl = http://@refused@\n",
                "hooks/post-checkout": _HOOK,
                "config": config,
                "HEAD": "ref: refs/heads/main\n",
                "objects/info/alternates": "@outside@\n",
                "refs/heads/x": "1" * 40,
            },
            own=True,
        ),
    )
    yield Attack(
        name="bare-inside",
        what="a path that is itself a bare repository with hooks",
        replays=("CVE-2022-24765", "CVE-2024-32465"),
        lay=files(
            {
                "app/a.yaml": CONFIG_MAP,
                "app/config": "[core]\n\tbare = true\n\tfsmonitor = touch @marker@\n",
                "app/HEAD": "ref: refs/heads/main\n",
                "app/objects/x": "",
                "app/refs/x": "",
            },
            own=True,
        ),
    )
    yield Attack(
        name="lfs-server",
        what="an .lfsconfig that names a server that sources may not reach",
        replays=("CVE-2026-44936", "CVE-2026-41506"),
        lay=files(
            {
                "app/a.yaml": "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 5\n",
                ".gitattributes": "*.yaml filter=lfs\n",
                ".lfsconfig": "[lfs]\n\turl = http://@refused@/lfs\n",
            },
            source={"lfs": True},
        ),
        kind="GitRepository",
        reason="LfsFailed",
    )
    evil = "$(touch @marker@)`touch @marker@`" + " <" * 2000 + "a" * 2000
    yield Attack(
        name="author",
        what="an author whose name is made for a bad pattern and a shell",
        replays=("GHSA-g5vv-9gxw-82hx",),
        lay=_authored(evil + " <x@x>"),
        kind="GitRepository",
        reason="ContentRefused",
    )
    long = "A" + " a" * 30_000
    yield Attack(
        name="author-long",
        what="an author's name of 60,000 characters that a pattern backtracks on",
        replays=("GHSA-g5vv-9gxw-82hx",),
        lay=_authored(f"{long} <x@x>"),
        kind="GitRepository",
    )
    yield Attack(
        name="author-culprit",
        what="such an author of a file that is wrong",
        replays=("GHSA-g5vv-9gxw-82hx",),
        lay=_authored(f"{long} <x@x>", text="kind: [\n"),
        reason="InvalidManifest",
    )
    yield Attack(
        name="local-clone",
        what="a clone of a path of the machine",
        replays=("CVE-2022-39253", "CVE-2024-32465", "CVE-2022-24765"),
        lay=git_source(url="@outside@"),
        kind="GitRepository",
        reason="InvalidURL",
        api="url must start with https://, http:// or ssh://",
    )
    yield Attack(
        name="alternates",
        what="a server whose repository borrows objects from elsewhere",
        replays=("CVE-2022-39253",),
        lay=_borrowing,
        kind="GitRepository",
        reason="RepositoryNotFound",
    )
    yield Elsewhere(
        replays=("CVE-2022-24765",),
        what="The data folder belongs to one controller, is closed to others, and git asks no setting of the user",
        tests=(
            "tests/integration/git/test_workers.py::test_the_data_folder_has_one_owner",
            "tests/integration/git/test_secrets_unseen.py::test_the_users_own_ssh_configuration_and_agent_are_not_asked",
        ),
    )
    yield NotApplicable(
        replays=("CVE-2023-40590", "CVE-2024-22190"),
        why="Windows only: there, a program of the working folder wins over one on the search path. The controller "
        "runs on Linux, and git is started from an absolute search path in a folder of the controller's own.",
    )


def _authored(author: str, *, text: str = CONFIG_MAP) -> Lay:
    def make(ground: Ground, repository: GitRepo) -> None:
        app = tree_of(repository, ("100644", b"a.yaml", blob(repository, ground.filled(text))))
        commit_of(repository, tree_of(repository, ("40000", b"app", app)), author=ground.filled(author))

    return crafted(make)


def _borrowing(ground: Ground) -> list[Body]:
    ground.server.repository(ground.name).commit({"a": "1"})
    url = f"{ground.server.url}/{ground.name}.git/objects/info/alternates"
    return [ground.body("GitRepository", {"url": url, "interval": INTERVAL})]


ROWS: Final[tuple[Row, ...]] = (*_trees(), *_objects(), *_submodules(), *_machine())
