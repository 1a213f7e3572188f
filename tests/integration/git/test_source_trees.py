"""Trees as Applications read them, from a real server: rules, includes and submodules."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.git_server import Fault, GitRepo, RunningServer, with_module
from tests.fixtures.proxies import HttpProxy

from trimtab.adapters.git.bare_repository import Link
from trimtab.adapters.git.limits import GitLimits
from trimtab.adapters.git.mirrors import GitMirrors
from trimtab.api.git_repository import GitRepositorySpec
from trimtab.core.errors import SourceError
from trimtab.reconcile.ports import GitCredentials
from trimtab.reconcile.source_trees import SourceTrees, Tree
from trimtab.source.addresses import ANYWHERE, AddressPolicy
from trimtab.source.proxy import Proxy
from trimtab.source.tree_budget import TreeBudget

MIB = 1024 * 1024
LOOPBACK = AddressPolicy(("127.0.0.0/8",))
FILES = {
    "README.md": "# App",
    "deploy/app.yaml": "app",
    "deploy/docs/notes.md": "notes",
    "deploy/picture.png": "png",
    "other/x.yaml": "x",
}


async def made(
    mirrors: GitMirrors,
    repository: GitRepo,
    *included: Tree,
    credentials: GitCredentials | None = None,
    addresses: AddressPolicy = LOOPBACK,
    **fields: Any,
) -> Tree:
    spec = GitRepositorySpec.model_validate({"url": repository.url, "timeout": "20s", **fields})
    fetched = await mirrors.fetch(repository.url, {}, credentials, timeout_seconds=20)
    trees = SourceTrees(git=mirrors)
    return await trees.make(spec, fetched.revision.sha, credentials, included, addresses=addresses)


async def files(tree: Tree, target: Path, *paths: str) -> list[str]:
    await tree.materialise(list(paths) or [""], target)
    return below(target)


def below(target: Path) -> list[str]:
    return sorted(str(path.relative_to(target)) for path in target.rglob("*") if not path.is_dir() or path.is_symlink())


def git(repository: Path, *arguments: str) -> list[str]:
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def selections(tips: Path) -> list[str]:
    return git(tips, "for-each-ref", "--format=%(refname)", "refs/selected/")


def lose_selections(tips: Path) -> None:
    for ref in selections(tips):
        git(tips, "update-ref", "-d", ref)
    assert selections(tips) == []


def peak_bytes(mirrors: GitMirrors) -> int:
    """The most memory that one of the workers has held so far."""
    rows = [row.split() for pid in mirrors.pids for row in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return max(int(row[1]) * 1024 for row in rows if row[0] == "VmHWM:")


async def refused(work: Any) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await work
    assert caught.value.problems[0].remedy
    return caught.value


@pytest.fixture
def app(git_server: RunningServer) -> GitRepo:
    repository = git_server.repository()
    repository.commit(FILES)
    return repository


async def test_without_rules_the_tree_is_the_commits_own(mirrors, app, tmp_path):
    tree = await made(mirrors, app)
    assert (tree.identity, tree.revision) == (app.url, app.sha())
    assert await tree.digest("deploy") == app.git("rev-parse", "HEAD:deploy")
    assert await files(tree, tmp_path / "out") == sorted(FILES)


async def test_what_is_ignored_is_not_written_and_changes_no_digest(mirrors, app, tmp_path):
    tree = await made(mirrors, app, ignore="*.md\n!/README.md\n/other\n")
    assert await files(tree, tmp_path / "out") == ["README.md", "deploy/app.yaml", "deploy/picture.png"]
    before = await tree.digest(""), await tree.digest("deploy")
    app.commit({"deploy/docs/notes.md": "more", "other/y.yaml": "y"})
    later = await made(mirrors, app, ignore="*.md\n!/README.md\n/other\n")
    assert (await later.digest(""), await later.digest("deploy")) == before
    assert later.revision != tree.revision
    app.commit({"deploy/app.yaml": "changed"})
    assert await (await made(mirrors, app, ignore="*.md\n")).digest("deploy") != before[1]
    assert (await refused(tree.digest("other"))).reason == "PathNotFound"


async def test_ignore_files_at_any_level_and_who_has_the_last_word(mirrors, app, tmp_path):
    app.commit({".sourceignore": "*.md\n*.png\n", "deploy/.trimtabignore": "!picture.png\n/docs\n", "deploy/a.md": ""})
    assert await files(await made(mirrors, app), tmp_path / "a") == [
        ".sourceignore", "deploy/.trimtabignore", "deploy/app.yaml", "deploy/picture.png", "other/x.yaml",
    ]  # fmt: skip
    spoken = await made(mirrors, app, ignore="!*.md\n")
    assert await files(spoken, tmp_path / "b", "deploy") == [
        "deploy/.trimtabignore", "deploy/a.md", "deploy/app.yaml", "deploy/docs/notes.md", "deploy/picture.png",
    ]  # fmt: skip


async def test_trees_of_other_rules_are_other_trees(mirrors, app):
    rules: list[dict[str, Any]] = [
        {},
        {"ignore": "*.md"},
        {"ignore": "*.mdx"},
        {"sparseCheckout": ["deploy"]},
        {"lfs": True},
    ]
    trees = [await made(mirrors, app, **each) for each in rules]
    assert len({tree.identity for tree in trees}) == len(rules)


@pytest.mark.parametrize("ignore", ["!", "a" * 600, "*" * 20, "\\"])
async def test_what_is_no_pattern_is_refused_with_its_line(mirrors, app, ignore):
    error = await refused(made(mirrors, app, ignore=f"# fine\n{ignore}\n"))
    assert error.reason == "InvalidIgnore"
    assert "line 2 of spec.ignore" in str(error)
    app.commit({"deploy/.sourceignore": f"\n\n{ignore}\n"})
    error = await refused(made(mirrors, app))
    assert str(error.problems[0].origin) == "deploy/.sourceignore:3"


async def test_ignore_files_without_end_are_refused_by_name_and_never_held(mirrors, app):
    app.commit({".sourceignore": bytes(64 * MIB), "deploy/.trimtabignore": "#" * 65_537, "other/.sourceignore": "*.md"})
    await mirrors.fetch(app.url, {}, None, timeout_seconds=60)
    before = peak_bytes(mirrors)
    error = await refused(made(mirrors, app))
    assert [(each.reason, str(each.origin)) for each in error.problems] == [
        ("InvalidIgnore", ".sourceignore"), ("InvalidIgnore", "deploy/.trimtabignore"),
    ]  # fmt: skip
    assert "larger than 64 KiB" in str(error)
    assert peak_bytes(mirrors) - before < 32 * MIB
    app.commit({".sourceignore": None, "deploy/.trimtabignore": ("#" * 511 + "\n") * 128})
    assert (await made(mirrors, app)).revision == app.sha()


async def test_only_the_folders_of_a_sparse_checkout(mirrors, app, tmp_path):
    tree = await made(mirrors, app, sparseCheckout=["./deploy/docs/", "other"])
    assert await files(tree, tmp_path / "out") == ["deploy/docs/notes.md", "other/x.yaml"]
    error = await refused(made(mirrors, app, sparseCheckout=["deploy", "gone"]))
    assert error.reason == "PathNotFound"
    assert "gone" in str(error)


async def test_a_selection_lasts_over_clean_ups_and_lost_mirrors(mirrors, app, tmp_path):
    tree = await made(mirrors, app, ignore="*.md")
    await mirrors._clean_up(mirrors._mirror(app.url, None))
    assert await tree.digest("deploy")
    lose_selections(mirrors.folder(app.url, None) / "tips.git")
    assert len(await files(tree, tmp_path / "out")) == 3


@pytest.mark.parametrize("limits", [GitLimits(kept_commits=1)])
async def test_selections_go_with_their_commits(mirrors, app):
    for number in range(3):
        app.commit({"n": str(number)})
        await made(mirrors, app, ignore="*.md")
    await mirrors._clean_up(mirrors._mirror(app.url, None))
    tips = mirrors.folder(app.url, None) / "tips.git"
    assert len(selections(tips)) == 1


async def test_an_included_folder_takes_its_place(mirrors, git_server, app, tmp_path):
    shared = git_server.repository("shared")
    shared.commit({"base/a.yaml": "a", "base/sub/b.yaml": "b", "x": "x"})
    part = await made(mirrors, shared)
    include = [{"repository": {"name": "shared"}, "fromPath": "base", "toPath": "deploy/docs"}]
    tree = await made(mirrors, app, part, include=include)
    assert await files(tree, tmp_path / "all") == [
        "README.md", "deploy/app.yaml", "deploy/docs/a.yaml", "deploy/docs/sub/b.yaml", "deploy/picture.png",
        "other/x.yaml",
    ]  # fmt: skip
    assert await files(tree, tmp_path / "one", "deploy/docs/sub") == ["deploy/docs/sub/b.yaml"]
    assert await tree.digest("deploy/docs") == shared.git("rev-parse", "HEAD:base")
    assert await tree.digest("other") == app.git("rev-parse", "HEAD:other")
    before = [await tree.digest(path) for path in ("", "deploy", "deploy/docs/sub", "other")]
    shared.commit({"base/a.yaml": "changed"})
    later = await made(mirrors, app, await made(mirrors, shared), include=include)
    after = [await later.digest(path) for path in ("", "deploy", "deploy/docs/sub", "other")]
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, False, True, True]
    assert (later.identity == tree.identity, later.revision == tree.revision) == (True, False)


async def test_includes_of_includes_and_their_parts(mirrors, git_server, app, tmp_path):
    inner = git_server.repository("inner")
    inner.commit({"deep/z.yaml": "z"})
    middle = git_server.repository("middle")
    middle.commit({"m.yaml": "m"})
    one = await made(mirrors, middle, await made(mirrors, inner), include=[{"repository": {"name": "inner"}}])
    assert await files(one, tmp_path / "one") == ["inner/deep/z.yaml", "m.yaml"]
    for number, (folder, expected) in enumerate(
        {"": ["inner/deep/z.yaml", "m.yaml"], "inner/deep": ["z.yaml"]}.items()
    ):
        include = [{"repository": {"name": "middle"}, "fromPath": folder, "toPath": "in"}]
        tree = await made(mirrors, app, one, include=include)
        assert await files(tree, tmp_path / str(number), "in") == [f"in/{name}" for name in expected]
    error = await refused(made(mirrors, app, one, include=[{"repository": {"name": "middle"}, "fromPath": "gone"}]))
    assert error.reason == "PathNotFound"


@pytest.mark.parametrize("place", [".git", "a/.GIT/hooks"])
async def test_includes_go_not_into_a_git_folder(mirrors, app, place):
    include = [{"repository": {"name": "x"}, "toPath": place}]
    assert (await refused(made(mirrors, app, await made(mirrors, app), include=include))).reason == "InvalidInclude"


async def test_links_of_an_included_folder_do_not_leave_it(mirrors, git_server, app, tmp_path):
    shared = git_server.repository("shared")
    shared.commit({"base/link": Link("../secret"), "secret": "s"})
    include = [{"repository": {"name": "shared"}, "fromPath": "base", "toPath": "in"}]
    tree = await made(mirrors, app, await made(mirrors, shared), include=include)
    assert (await refused(files(tree, tmp_path / "out"))).reason == "SymlinkRefused"


@pytest.mark.parametrize("places", [("a", "a"), ("a", "a/b"), (".", "b")])
async def test_includes_need_places_of_their_own(mirrors, app, places):
    part = await made(mirrors, app)
    include = [{"repository": {"name": "x"}, "toPath": place} for place in places]
    assert (await refused(made(mirrors, app, part, part, include=include))).reason == "InvalidInclude"


@pytest.fixture
def library(git_server: RunningServer) -> GitRepo:
    repository = git_server.repository("library")
    repository.commit({"lib.yaml": "lib", "docs/x.md": "x"})
    return repository


@pytest.mark.parametrize("relative", [True, False])
async def test_submodules_are_part_of_the_tree(mirrors, app, library, tmp_path, relative):
    with_module(app, "deploy/lib", "../library.git" if relative else library.url, library.sha())
    assert "deploy/lib/lib.yaml" not in await files(await made(mirrors, app), tmp_path / "without")
    tree = await made(mirrors, app, recurseSubmodules=True)
    assert {"deploy/lib/lib.yaml", "deploy/app.yaml"} <= set(await files(tree, tmp_path / "with"))
    before = await tree.digest("deploy"), await tree.digest("other")
    library.commit({"lib.yaml": "newer"})
    same = await made(mirrors, app, recurseSubmodules=True)
    assert await same.digest("deploy") == before[0]
    with_module(app, "deploy/lib", "../library.git", library.sha())
    later = await made(mirrors, app, recurseSubmodules=True)
    assert (await later.digest("deploy") != before[0], await later.digest("other") == before[1]) == (True, True)
    assert later.revision != tree.revision


async def test_what_is_put_in_counts_with_the_rest(mirrors, app, library, tmp_path):
    with_module(app, "deploy/lib", library.url, library.sha())
    tree = await made(mirrors, app, recurseSubmodules=True)
    budget = TreeBudget(8 * 4096)
    await tree.materialise([""], tmp_path / "out", budget=budget)
    assert budget.spent_bytes == budget.limit_bytes, "five files, .gitmodules and two of the submodule"
    with pytest.raises(SourceError) as caught:
        await tree.materialise(["deploy"], tmp_path / "more", budget=budget)
    assert caught.value.reason == "TooManyBytes"


async def test_patterns_reach_into_submodules_and_leave_them_out(mirrors, app, library, git_server, tmp_path):
    with_module(app, "lib", "../library.git", library.sha())
    tree = await made(mirrors, app, recurseSubmodules=True, ignore="/lib/docs\n")
    assert [name for name in await files(tree, tmp_path / "a") if name.startswith("lib/")] == ["lib/lib.yaml"]
    app.commit({".gitmodules": '[submodule "lib"]\n\tpath = lib\n\turl = ../gone.git\n'})
    tree = await made(mirrors, app, recurseSubmodules=True, ignore="lib/\n")
    assert not [name for name in await files(tree, tmp_path / "b") if name.startswith("lib/")]
    error = await refused(made(mirrors, app, recurseSubmodules=True))
    assert "submodule 'lib'" in str(error)
    assert error.retry


async def test_submodules_of_submodules_and_circles(mirrors, app, library, git_server, tmp_path):
    inner = git_server.repository("inner")
    inner.commit({"i.yaml": "i"})
    with_module(library, "inner", "../inner.git", inner.sha())
    with_module(app, "lib", "../library.git", library.sha())
    assert "lib/inner/i.yaml" in await files(await made(mirrors, app, recurseSubmodules=True), tmp_path / "out")
    for _ in range(6):
        with_module(app, "lib", "../app.git", app.sha())
    error = await refused(made(mirrors, app, recurseSubmodules=True))
    assert error.reason == "SubmoduleRefused"
    assert "deep" in str(error)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc",
        "ext::sh -c id",
        "/etc",
        "git://h/x",
        "../../../x",
        "http://bob:pw@h/x",
        "./x y",
    ],
)
async def test_submodules_go_nowhere_else(mirrors, app, git_server, url):
    with_module(app, "lib", url, "1" * 40)
    git_server.faults.requests.clear()
    error = await refused(made(mirrors, app, recurseSubmodules=True))
    assert error.reason == "SubmoduleRefused"
    assert str(error.problems[0].origin) == ".gitmodules"
    assert "pw" not in str(error)
    assert {request.split()[1].split("/")[1] for request in git_server.faults.requests} <= {"app.git"}


async def test_a_gitmodules_file_without_end_is_refused(mirrors, app, library):
    with_module(app, "lib", library.url, library.sha())
    app.commit({".gitmodules": f'[submodule "lib"]\n\tpath = lib\n\turl = {library.url}\n' + "#\n" * 150_000})
    error = await refused(made(mirrors, app, recurseSubmodules=True))
    assert error.reason == "SubmoduleRefused"
    assert "larger than 256 KiB" in str(error)
    assert str(error.problems[0].origin) == ".gitmodules"


async def test_submodules_elsewhere_are_on_allowed_networks_only(mirrors, app, library, private_git_server):
    with_module(app, "lib", library.url, library.sha())
    assert await (await made(mirrors, app, addresses=ANYWHERE, recurseSubmodules=True)).digest("lib")
    foreign = private_git_server.repository("foreign")
    with_module(app, "lib", foreign.url, "1" * 40)
    with HttpProxy() as proxy:
        for credentials in (None, GitCredentials(proxy=Proxy(proxy.address))):
            error = await refused(
                made(mirrors, app, addresses=ANYWHERE, credentials=credentials, recurseSubmodules=True)
            )
            assert error.reason == "AddressRefused"
            assert "submodule 'lib'" in str(error)
            assert "the host of spec.url, 127.0.0.1" in str(error), "of a proxy that is declared nothing is said"
        assert proxy.asked, "the source itself came through it"
    assert private_git_server.faults.requests == []


async def test_a_submodule_that_would_be_an_option_comes_not_even_in(mirrors, app):
    with_module(app, "lib", "--upload-pack=id", "1" * 40)
    assert (await refused(made(mirrors, app, recurseSubmodules=True))).reason == "ContentRefused"


async def test_credentials_stay_with_their_host(mirrors, private_git_server, git_server, library):
    app = private_git_server.repository()
    app.commit(FILES)
    own = private_git_server.repository("own")
    own.commit({"own.yaml": "own"})
    bob = GitCredentials("bob", "sesame-9Xq")
    with_module(app, "own", "../own.git", own.sha())
    assert await (await made(mirrors, app, credentials=bob, recurseSubmodules=True)).digest("own")
    with_module(app, "own", library.url, library.sha())
    git_server.faults.headers.clear()
    assert await (await made(mirrors, app, credentials=bob, recurseSubmodules=True)).digest("own")
    assert git_server.faults.headers
    assert not [headers for headers in git_server.faults.headers if "Authorization" in headers]


async def test_a_submodule_that_fails_leaves_the_mirrors_usable(mirrors, app, library, git_server):
    with_module(app, "lib", "../library.git", library.sha())
    git_server.faults.always(Fault.STATUS_500, only="library")
    assert (await refused(made(mirrors, app, recurseSubmodules=True))).reason == "ServerError"
    git_server.faults.never()
    assert await (await made(mirrors, app, recurseSubmodules=True)).digest("lib")
