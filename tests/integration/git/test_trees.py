"""Reading and writing commits: folders, files, links, limits, and trees that no honest git would make."""

import hashlib
import stat
import subprocess
import zlib
from pathlib import Path

import pytest
from tests.fixtures.git_server import GitRepo

from trimtab.adapters.git.bare_repository import Link
from trimtab.adapters.git.limits import GitLimits
from trimtab.adapters.git.messages import Condition
from trimtab.adapters.git.mirrors import GitMirrors
from trimtab.adapters.git.worker_pool import MirrorUnreadable
from trimtab.core.errors import SourceError
from trimtab.reconcile.git_tree import GitTree
from trimtab.source.tree_budget import TreeBudget


async def fetched(mirrors: GitMirrors, repository: GitRepo) -> str:
    return (await mirrors.fetch(repository.url, {}, None, timeout_seconds=20)).revision.sha


async def written(mirrors: GitMirrors, repository: GitRepo, target: Path, *paths: str) -> list[str]:
    sha = await fetched(mirrors, repository)
    await mirrors.materialise(repository.url, None, sha, list(paths) or [""], target)
    return below(target)


def below(target: Path) -> list[str]:
    return sorted(str(path.relative_to(target)) for path in target.rglob("*") if not path.is_dir() or path.is_symlink())


async def refused(mirrors: GitMirrors, repository: GitRepo, target: Path, *paths: str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await written(mirrors, repository, target, *paths)
    assert caught.value.problems[0].remedy
    return caught.value


async def test_the_tree_of_a_folder_changes_with_its_files_only(mirrors, git_repo):
    sha = await fetched(mirrors, git_repo)
    before = await mirrors.tree(git_repo.url, None, sha, "./deploy/")
    root = await mirrors.tree(git_repo.url, None, sha, "")
    git_repo.commit({"README.md": "other"})
    sha = await fetched(mirrors, git_repo)
    assert await mirrors.tree(git_repo.url, None, sha, "deploy") == before == git_repo.git("rev-parse", "HEAD:deploy")
    assert await mirrors.tree(git_repo.url, None, sha, ".") != root


@pytest.mark.parametrize(
    "path", ["nope", "README.md", "deploy/app.yaml", "deploy/app.yaml/x", "*", ":(top)deploy", "de"]
)
async def test_what_is_no_folder_has_no_tree(mirrors, git_repo, path):
    sha = await fetched(mirrors, git_repo)
    with pytest.raises(SourceError) as caught:
        await mirrors.tree(git_repo.url, None, sha, path)
    assert caught.value.reason == "PathNotFound"
    assert not caught.value.retry


async def test_one_look_tells_the_trees_of_many_folders(mirrors, git_repo):
    many = {f"apps/app-{number}/ü b/x.yaml": str(number) for number in range(1500)}
    git_repo.commit({**many, "deploy/sub/x": "y", "link": Link("deploy")})
    sha = await fetched(mirrors, git_repo)
    absent = [
        "nope",
        "README.md",
        "deploy/app.yaml",
        "deploy/app.yaml/x",
        "*",
        ":(top)deploy",
        "de",
        "link",
        "link/sub",
    ]
    folders = ["", "deploy", "./deploy//sub/", "apps", *(f"apps/app-{number}/ü b" for number in range(1500))]
    found = await mirrors.trees(git_repo.url, None, sha, [*absent, *folders])
    assert list(found) == folders
    for folder in ("", "deploy", "./deploy//sub/", "apps/app-7/ü b"):
        assert found[folder] == await mirrors.tree(git_repo.url, None, sha, folder)
    assert len({found[folder] for folder in folders}) == len(folders)
    assert await mirrors.trees(git_repo.url, None, sha, []) == {}
    with pytest.raises(SourceError, match="climbs up"):
        await mirrors.trees(git_repo.url, None, sha, ["deploy", "../deploy"])


async def test_a_commit_that_was_never_fetched(mirrors, git_repo, tmp_path):
    for sha in ("1" * 40, git_repo.sha()):
        with pytest.raises(SourceError) as caught:
            await mirrors.tree(git_repo.url, None, sha, "")
        assert caught.value.reason == "CommitNotFetched"
        with pytest.raises(SourceError) as caught:
            await mirrors.trees(git_repo.url, None, sha, ["deploy"])
        assert caught.value.reason == "CommitNotFetched"


async def test_a_name_that_reads_like_gits_word_for_damage(mirrors, git_repo, tmp_path):
    name = "a b BAD\tc/z.yaml"
    git_repo.commit({f'"{name}"'.replace("\t", "\\t"): "1"}, keep=False)
    assert await written(mirrors, git_repo, tmp_path / "out") == [name]
    mirror = mirrors._mirror(git_repo.url, None)
    assert mirror.condition is Condition.SOUND
    blob = git_repo.git("rev-parse", "HEAD^{tree}:a b BAD\tc/z.yaml")
    for pack in (mirror.path / "tips.git/objects").rglob("*.pack"):
        _without_blob(mirror.path / "tips.git", pack, blob)
    with pytest.raises(MirrorUnreadable):
        await mirrors.materialise(git_repo.url, None, git_repo.sha(), [""], tmp_path / "again")
    assert mirrors._mirror(git_repo.url, None).condition is Condition.BROKEN, "a blob that is really missing"


def _without_blob(repository: Path, pack: Path, blob: str) -> None:
    """Unpack a repository's pack and remove one object."""
    content = pack.read_bytes()
    for each in pack.parent.glob(f"{pack.stem}.*"):
        each.unlink()
    subprocess.run(["git", "-C", str(repository), "unpack-objects", "-q"], input=content, check=True)
    (repository / "objects" / blob[:2] / blob[2:]).unlink()


async def test_files_are_written_as_committed_and_plain(mirrors, git_repo, tmp_path):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"
    content = {
        "bin/run.sh": "#!/bin/sh\r\n",
        "data.bin": bytes(range(256)) * 5000,
        "big.lfs": pointer,
        "empty": "",
        ".gitattributes": "* text=auto eol=crlf\n*.lfs filter=lfs diff=lfs merge=lfs -text\n*.sub export-subst\n",
        "a.sub": "$Format:%H$",
    }
    git_repo.commit(content, keep=False)
    git_repo.git("fast-import", "--quiet", stdin=_chmod(git_repo, "bin/run.sh", b"#!/bin/sh\r\n"))
    names = await written(mirrors, git_repo, tmp_path / "out")
    assert names == sorted(content)
    for name, text in content.items():
        assert (tmp_path / "out" / name).read_bytes() == (text.encode() if isinstance(text, str) else text)
        assert stat.S_IMODE((tmp_path / "out" / name).stat().st_mode) & 0o111 == 0


def _chmod(repository: GitRepo, path: str, data: bytes) -> bytes:
    head = f"commit refs/heads/main\ncommitter A <a@x> 1700000000 +0000\ndata 1\nx\nfrom {repository.sha()}\n"
    return head.encode() + f"M 100755 inline {path}\ndata {len(data)}\n".encode() + data + b"\n"


async def test_only_the_paths_asked_for_are_written(mirrors, git_repo, tmp_path):
    git_repo.commit({"deploy/base/a.yaml": "1", "deploy2/b.yaml": "2", "top.yaml": "3"})
    names = await written(mirrors, git_repo, tmp_path / "out", "deploy/base", "top.yaml", "./deploy/base/")
    assert names == ["deploy/base/a.yaml", "top.yaml"]
    more = await written(mirrors, git_repo, tmp_path / "out", "deploy")
    assert more == ["deploy/app.yaml", "deploy/base/a.yaml", "top.yaml"], "a folder may be widened"
    error = await refused(mirrors, git_repo, tmp_path / "out", "deploy", "missing.yaml")
    assert error.reason == "PathNotFound"


async def test_links_inside_bring_what_they_reach(mirrors, git_repo, tmp_path):
    git_repo.commit(
        {
            "apps/a/values.yaml": Link("../../shared/values.yaml"),
            "apps/a/base": Link("../../current"),
            "current": Link("shared/v2"),
            "shared/values.yaml": "v: 1\n",
            "shared/v2/k.yaml": "k: 2\n",
            "shared/v2/up": Link("../values.yaml"),
            "unrelated/x": "1",
        }
    )
    target = tmp_path / "out"
    names = await written(mirrors, git_repo, target, "apps/a")
    assert names == [
        "apps/a/base",
        "apps/a/values.yaml",
        "current",
        "shared/v2/k.yaml",
        "shared/v2/up",
        "shared/values.yaml",
    ]
    assert (target / "apps/a/values.yaml").read_text() == "v: 1\n"
    assert (target / "apps/a/base/k.yaml").read_text() == "k: 2\n"
    assert (target / "apps/a/base/up").read_text() == "v: 1\n"


@pytest.mark.parametrize(
    "files",
    [
        {"evil": Link("/etc/passwd")},
        {"evil": Link("/nonexistent-canary")},
        {"evil": Link("../../../../etc/passwd")},
        {"evil": Link("..")},
        {"evil": Link("deploy/../../x")},
        {"evil": Link("step"), "step": Link("/var/run/secrets/kubernetes.io")},
        {"evil": Link("dir/../../x"), "dir": Link("deploy")},
        {"evil": Link("evil")},
        {"evil": Link("x" * 5000)},
    ],
)
async def test_links_out_of_the_tree_write_nothing_and_tell_nothing(mirrors, git_repo, tmp_path, files):
    git_repo.commit(files)
    error = await refused(mirrors, git_repo, tmp_path / "out", "evil")
    problem = error.problems[0]
    assert problem.reason == "SymlinkRefused"
    assert problem.origin is not None
    assert problem.origin.file == "evil"
    assert not (tmp_path / "out").exists()


async def test_the_error_is_the_same_whether_the_target_exists(mirrors, git_repo, tmp_path):
    errors = set()
    for target in ("/etc/passwd", "/etc/no-such-canary"):
        git_repo.commit({"evil": Link(target)})
        errors.add(str(await refused(mirrors, git_repo, tmp_path / "out")))
    assert len(errors) == 1


async def test_all_bad_links_are_named_at_once(mirrors, git_repo, tmp_path):
    git_repo.commit({"a": Link("/x"), "b": Link("/y"), "c": Link("deploy")})
    error = await refused(mirrors, git_repo, tmp_path / "out")
    assert [problem.origin.file for problem in error.problems if problem.origin] == ["a", "b"]


async def test_a_link_in_the_target_is_not_written_through(mirrors, git_repo, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/deploy").symlink_to(tmp_path / "outside")
    error = await refused(mirrors, git_repo, tmp_path / "out")
    assert error.reason == "ContentRefused"
    assert list((tmp_path / "outside").iterdir()) == []


async def test_submodules_are_left_out(mirrors, git_repo, tmp_path):
    head = f"commit refs/heads/main\ncommitter A <a@x> 1700000000 +0000\ndata 1\nx\nfrom {git_repo.sha()}\n"
    module = (
        f'M 160000 {"a" * 40} vendor\nM 100644 inline .gitmodules\ndata 40\n[submodule "v"]\n\turl = --upload-pack=x \n'
    )
    git_repo.git("fast-import", "--quiet", stdin=(head + module).encode())
    with pytest.raises(SourceError) as caught:
        await fetched(mirrors, git_repo)
    assert caught.value.reason == "ContentRefused", "a submodule URL that is an option is refused with the pack"
    clean = module.replace("--upload-pack=x ", "https://e.org/xx")
    git_repo.force("main", git_repo.sha("main~1"))
    head = head.replace(git_repo.sha(), git_repo.sha("main"))
    git_repo.git("fast-import", "--quiet", "--force", stdin=(head + clean).encode())
    assert "vendor" not in await written(mirrors, git_repo, tmp_path / "out")


@pytest.mark.parametrize("limits", [GitLimits(max_files=20, max_tree_bytes=10_000)])
async def test_too_many_files_and_bytes_are_refused_before_writing(mirrors, git_repo, tmp_path):
    git_repo.commit({f"many/{n}": "x" for n in range(21)} | {"big/a": "x" * 6000, "big/b": "y" * 6000, "ok/a": "1"})
    assert (await refused(mirrors, git_repo, tmp_path / "out", "many")).reason == "TooManyFiles"
    assert (await refused(mirrors, git_repo, tmp_path / "out", "big")).reason == "TooManyBytes"
    assert not (tmp_path / "out").exists()
    assert await written(mirrors, git_repo, tmp_path / "out", "ok") == ["ok/a"]


@pytest.mark.parametrize("limits", [GitLimits(max_tree_bytes=100_000)])
async def test_all_calls_with_one_budget_spend_from_it(mirrors, git_repo, tmp_path):
    git_repo.commit({f"f{n}/sub/z": bytes(30_000) for n in range(4)} | {"empty/a": "", "empty/b": ""}, keep=False)
    tree = GitTree(mirrors, git_repo.url, None, await fetched(mirrors, git_repo))
    budget, out = TreeBudget(80_000), tmp_path / "out"
    for path, taken in {"f0/sub": 32_768, "f1": 32_768, "f0": 0, "empty": 8192}.items():
        before = budget.spent_bytes
        await tree.materialise([path], out, budget=budget)
        assert budget.spent_bytes - before == taken, path
    with pytest.raises(SourceError) as caught:
        await tree.materialise(["f2"], out, budget=budget)
    assert caught.value.reason == "TooManyBytes"
    assert "limit of 80000 bytes" in str(caught.value)
    assert not (out / "f2").exists()
    await tree.materialise(["f2"], tmp_path / "other", budget=TreeBudget(10**9))
    with pytest.raises(SourceError, match="limit of 100000 bytes"):
        await tree.materialise([""], tmp_path / "more", budget=TreeBudget(10**9))


async def test_a_tree_bomb_ends_at_the_limit(mirrors, git_repo, tmp_path):
    blob = git_repo.git("hash-object", "-w", "--stdin", stdin=b"x")
    tree = git_repo.git("mktree", stdin=b"".join(b"100644 blob %b\tf%d\n" % (blob.encode(), n) for n in range(10)))
    for _ in range(9):
        tree = git_repo.git("mktree", stdin=b"".join(b"040000 tree %b\td%d\n" % (tree.encode(), n) for n in range(10)))
    _commit_tree(git_repo, tree)
    assert (await refused(mirrors, git_repo, tmp_path / "out")).reason == "TooManyFiles"


@pytest.mark.parametrize(
    "rows",
    [
        [(b"40000", b"..")],
        [(b"40000", b".git")],
        [(b"40000", b".GIT")],
        [(b"100644", b"a/b")],
        [(b"100644", b"a"), (b"40000", b"a")],
        [(b"100644", b"")],
    ],
)
async def test_crafted_trees_never_get_in(mirrors, git_repo, tmp_path, rows):
    blob = git_repo.git("hash-object", "-w", "--stdin", stdin=b"evil")
    inner = git_repo.git("mktree", stdin=b"100644 blob %b\tconfig\n" % blob.encode())
    objects = {b"100644": blob, b"40000": inner}
    data = b"".join(mode + b" " + name + b"\0" + bytes.fromhex(objects[mode]) for mode, name in rows)
    tree = _raw_object(git_repo, b"tree", data)
    _commit_tree(git_repo, tree)
    error = await refused(mirrors, git_repo, tmp_path / "out")
    assert error.reason == "ContentRefused"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mirrors", "served"]


def _raw_object(repository: GitRepo, kind: bytes, data: bytes) -> str:
    """Write an object that git's own commands would not make."""
    whole = kind + b" %d\0" % len(data) + data
    sha = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
    path = repository.path / "objects" / sha[:2] / sha[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zlib.compress(whole))
    return sha


def _commit_tree(repository: GitRepo, tree: str) -> None:
    data = f"tree {tree}\nauthor A <a@x> 1700000000 +0000\ncommitter A <a@x> 1700000000 +0000\n\nx\n"
    repository.force("main", _raw_object(repository, b"commit", data.encode()))


async def test_old_honest_faults_are_tolerated(mirrors, git_repo, tmp_path):
    blob = git_repo.git("hash-object", "-w", "--stdin", stdin=b"x")
    tree = _raw_object(git_repo, b"tree", b"0100644 a\0" + bytes.fromhex(blob))
    data = f"tree {tree}\nauthor A <a@x> 1700000000 +051800\ncommitter A <a@x> 1700000000 +0000\n\nx\n"
    git_repo.force("main", _raw_object(git_repo, b"commit", data.encode()))
    assert await written(mirrors, git_repo, tmp_path / "out") == ["a"]


async def test_names_that_are_not_utf8_are_refused_by_name(mirrors, git_repo, tmp_path):
    blob = git_repo.git("hash-object", "-w", "--stdin", stdin=b"x")
    _commit_tree(git_repo, _raw_object(git_repo, b"tree", b"100644 \xff\xfe\0" + bytes.fromhex(blob)))
    error = await refused(mirrors, git_repo, tmp_path / "out")
    assert error.reason == "ContentRefused"
    assert "UTF-8" in str(error)
