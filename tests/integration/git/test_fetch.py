"""Fetching from a real server: every kind of ref, what moves, what vanishes, and what it costs."""

import pytest
from tests.fixtures.git_server import GitRepo, RunningServer

from trimtab.adapters.git.mirrors import GitMirrors
from trimtab.core.errors import SourceError


async def refused(mirrors: GitMirrors, url: str, ref: dict[str, str]) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await mirrors.fetch(url, ref, None, timeout_seconds=20)
    assert caught.value.problems[0].remedy
    return caught.value


async def test_the_default_branch_with_who_made_the_commit(mirrors, git_repo):
    fetched = await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)
    assert str(fetched.revision) == f"main@sha1:{git_repo.sha()}"
    assert fetched.changed
    assert fetched.commit.sha == git_repo.sha()
    assert fetched.commit.author == fetched.commit.committer == "Ada Example <ada@example.org>"
    assert fetched.commit.subject == "Begin"
    assert fetched.commit.author_time == fetched.commit.committer_time > 1_600_000_000
    assert fetched.tree_sha == git_repo.git("rev-parse", "HEAD^{tree}")


async def test_a_branch_that_moves(mirrors, git_repo):
    git_repo.force("feature/x", git_repo.sha())
    first = await mirrors.fetch(git_repo.url, {"branch": "feature/x"}, None, timeout_seconds=20)
    again = await mirrors.fetch(git_repo.url, {"branch": "feature/x"}, None, timeout_seconds=20)
    sha = git_repo.commit({"a": "1"}, branch="feature/x")
    moved = await mirrors.fetch(git_repo.url, {"branch": "feature/x"}, None, timeout_seconds=20)
    assert (first.changed, again.changed, moved.changed) == (True, False, True)
    assert again.commit == first.commit
    assert again.tree_sha == first.tree_sha
    assert str(moved.revision) == f"feature/x@sha1:{sha}"


@pytest.mark.parametrize("message", ["", "An annotated tag"])
async def test_a_tag_and_its_move(mirrors, git_repo, message):
    git_repo.tag("v1", message=message)
    first = await mirrors.fetch(git_repo.url, {"tag": "v1"}, None, timeout_seconds=20)
    assert str(first.revision) == f"v1@sha1:{git_repo.sha()}"
    git_repo.tag("v1", git_repo.commit({"b": "2"}), message=message)
    second = await mirrors.fetch(git_repo.url, {"tag": "v1"}, None, timeout_seconds=20)
    assert second.changed
    assert second.revision.sha == git_repo.sha()
    assert await mirrors.tree(git_repo.url, None, second.revision.sha, "deploy")


async def test_a_tag_that_names_no_commit(mirrors, git_repo):
    git_repo.tag("files", "HEAD^{tree}")
    error = await refused(mirrors, git_repo.url, {"tag": "files"})
    assert error.reason == "RefNotFound"


async def test_a_name_is_matched_whole(mirrors, git_repo):
    git_repo.force("other/main2", git_repo.commit({"x": "1"}))
    git_repo.force("deep/release", git_repo.sha())
    error = await refused(mirrors, git_repo.url, {"branch": "release"})
    assert error.reason == "RefNotFound"


async def test_a_commit_with_and_without_its_branch(mirrors, git_repo):
    old = git_repo.sha()
    git_repo.commit({"deploy/app.yaml": "kind: Secret\n"})
    bare = await mirrors.fetch(git_repo.url, {"commit": old}, None, timeout_seconds=20)
    named = await mirrors.fetch(git_repo.url, {"commit": old, "branch": "main"}, None, timeout_seconds=20)
    again = await mirrors.fetch(git_repo.url, {"commit": old, "branch": "main"}, None, timeout_seconds=20)
    assert str(bare.revision) == f"sha1:{old}"
    assert str(named.revision) == f"main@sha1:{old}"
    assert (bare.changed, named.changed, again.changed) == (True, True, False)


async def test_a_commit_that_is_not_on_the_branch(mirrors, git_repo):
    main = git_repo.sha()
    other = git_repo.commit({"x": "1"}, branch="other", parent=main)
    error = await refused(mirrors, git_repo.url, {"commit": other, "branch": "main"})
    assert error.reason == "CommitNotOnBranch"
    git_repo.force("main", other)
    fetched = await mirrors.fetch(git_repo.url, {"commit": other, "branch": "main"}, None, timeout_seconds=20)
    assert fetched.revision.sha == other


async def test_a_commit_that_does_not_exist(mirrors, git_repo):
    error = await refused(mirrors, git_repo.url, {"commit": "1" * 40})
    assert error.reason == "RefNotFound"


async def test_a_pinned_commit_asks_the_server_once(mirrors, git_repo, git_server):
    await mirrors.fetch(git_repo.url, {"commit": git_repo.sha()}, None, timeout_seconds=20)
    asked = len(git_server.faults.requests)
    await mirrors.fetch(git_repo.url, {"commit": git_repo.sha()}, None, timeout_seconds=20)
    assert len(git_server.faults.requests) == asked


async def test_a_poll_without_news_transfers_nothing(mirrors, git_repo, git_server):
    await mirrors.fetch(git_repo.url, {"branch": "main"}, None, timeout_seconds=20)
    git_server.faults.requests.clear()
    await mirrors.fetch(git_repo.url, {"branch": "main"}, None, timeout_seconds=20)
    assert git_server.faults.requests == [
        "GET /app.git/info/refs?service=git-upload-pack",
        "POST /app.git/git-upload-pack",
    ]


async def test_a_small_commit_travels_as_a_small_pack(mirrors, git_server, git_repo):
    sizes: list[int] = []
    git_repo.commit({f"big/{n}.txt": f"{n}\n" * 5000 for n in range(50)})
    await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)
    handler = git_server._handler
    serve = handler.body_chunk

    def measured(self, chunk):
        sizes.append(len(chunk))
        return serve(self, chunk)

    handler.body_chunk = measured
    git_repo.commit({"small.txt": "1"})
    await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)
    assert sum(sizes) < 5000


async def test_a_branch_that_goes_and_returns(mirrors, git_repo):
    await mirrors.fetch(git_repo.url, {"branch": "main"}, None, timeout_seconds=20)
    sha = git_repo.sha("main")
    git_repo.force("keep", sha)
    git_repo.delete_branch("main")
    error = await refused(mirrors, git_repo.url, {"branch": "main"})
    assert error.reason == "RefNotFound"
    assert "branch main does not exist" in str(error)
    assert error.retry
    assert await mirrors.tree(git_repo.url, None, sha, "deploy"), "what was fetched last stays readable"
    git_repo.force("main", sha)
    back = await mirrors.fetch(git_repo.url, {"branch": "main"}, None, timeout_seconds=20)
    assert back.revision.sha == sha


async def test_an_empty_repository_and_its_first_commit(mirrors, git_server):
    repository = git_server.repository("empty")
    for ref in ({}, {"branch": "main"}, {"tag": "v1"}):
        error = await refused(mirrors, repository.url, ref)
        assert error.reason == "EmptyRepository"
        assert error.retry
    repository.commit({"a": "1"})
    assert (await mirrors.fetch(repository.url, {}, None, timeout_seconds=20)).changed


async def test_a_default_branch_that_was_never_pushed(mirrors, git_server):
    repository = git_server.repository("odd")
    repository.commit({"a": "1"}, branch="trunk")
    error = await refused(mirrors, repository.url, {})
    assert error.reason == "RefNotFound"
    assert "default branch" in str(error)


async def test_a_detached_head_is_followed_by_its_own_name(mirrors, git_repo):
    git_repo.git("update-ref", "--no-deref", "HEAD", git_repo.sha())
    fetched = await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)
    assert fetched.revision.ref == "HEAD"


async def test_a_revert_and_a_forced_push_back_have_all_their_files(mirrors, git_repo, tmp_path):
    first = git_repo.sha()
    await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)
    git_repo.commit({"deploy/app.yaml": "kind: Broken\n"})
    await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)
    reverted = git_repo.revert()
    fetched = await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)
    assert fetched.revision.sha == reverted
    await mirrors.materialise(git_repo.url, None, reverted, [""], tmp_path / "reverted")
    assert (tmp_path / "reverted/deploy/app.yaml").read_text() == "kind: ConfigMap\n"
    git_repo.force("main", first)
    back = await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)
    assert (back.revision.sha, back.changed) == (first, True)
    await mirrors.materialise(git_repo.url, None, first, [""], tmp_path / "back")
    assert (tmp_path / "back/deploy/app.yaml").read_text() == "kind: ConfigMap\n"


async def test_a_history_that_is_rewritten(mirrors, git_repo):
    await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)
    git_repo.git("update-ref", "-d", "refs/heads/main")
    fresh = git_repo.commit({"deploy/app.yaml": "kind: Other\n"}, "Begin again")
    fetched = await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)
    assert fetched.revision.sha == fresh
    assert fetched.commit.subject == "Begin again"


async def test_repositories_of_the_other_object_format(mirrors, git_server, tmp_path):
    repository = git_server.repository("modern", object_format="sha256")
    sha = repository.commit({"a/b.yaml": "x: 1\n"})
    fetched = await mirrors.fetch(repository.url, {"branch": "main"}, None, timeout_seconds=20)
    assert str(fetched.revision) == f"main@sha256:{sha}"
    assert len(await mirrors.tree(repository.url, None, sha, "a")) == 64
    await mirrors.materialise(repository.url, None, sha, ["a"], tmp_path / "out")
    assert (tmp_path / "out/a/b.yaml").read_text() == "x: 1\n"
    assert (await mirrors.fetch(repository.url, {"commit": sha}, None, timeout_seconds=20)).revision.sha == sha


async def test_a_server_that_speaks_the_old_protocol_and_gives_out_tips_only(mirrors, git_server, git_repo):
    git_server.faults.protocol_v0 = True
    old = git_repo.sha()
    git_repo.tag("v1", message="Annotated")
    tip = git_repo.commit({"b": "2"})
    assert (await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)).revision.sha == tip
    assert (await mirrors.fetch(git_repo.url, {"tag": "v1"}, None, timeout_seconds=20)).revision.sha == old
    middle = git_repo.sha()
    git_repo.commit({"c": "3"})
    for ref in ({"commit": middle}, {"commit": old, "branch": "main"}):
        fetched = await mirrors.fetch(git_repo.url, ref, None, timeout_seconds=20)
        assert fetched.revision.sha == ref["commit"]
        assert await mirrors.tree(git_repo.url, None, ref["commit"], "deploy")


async def test_a_server_without_filters(mirrors, git_repo):
    git_repo.git("config", "uploadpack.allowFilter", "false")
    old = git_repo.sha()
    git_repo.commit({"b": "2"})
    fetched = await mirrors.fetch(git_repo.url, {"commit": old, "branch": "main"}, None, timeout_seconds=20)
    assert fetched.revision.sha == old


async def test_authors_cannot_write_to_the_terminal_or_break_json(mirrors, git_server):
    repository = git_server.repository("rude")
    rude = GitRepo(repository.path, author="Eve \x1b[31m <eve@example.org>", url=repository.url)
    rude.commit({"a": "1"}, "Red \x1b]0;title\x07\u202e " + "x" * 500)
    commit = (await mirrors.fetch(rude.url, {}, None, timeout_seconds=20)).commit
    assert commit.author.isprintable()
    assert commit.subject.isprintable()
    assert len(commit.subject) <= 200


async def test_a_restart_finds_its_mirrors(tmp_path, git_server: RunningServer, git_repo):
    first = GitMirrors(tmp_path / "data")
    await first.start()
    sha = (await first.fetch(git_repo.url, {}, None, timeout_seconds=20)).revision.sha
    await first.close()
    second = GitMirrors(tmp_path / "data")
    await second.start()
    try:
        git_server.stop()
        assert await second.tree(git_repo.url, None, sha, "deploy"), "readable before any fetch, the server being gone"
        git_server.start()
        again = await second.fetch(git_repo.url, {}, None, timeout_seconds=20)
        assert (again.revision.sha, again.changed, again.commit.subject) == (sha, False, "Begin")
    finally:
        await second.close()
