"""Files in Git LFS, from a server of the batch API: whole, checked, bounded; and what a bad server may not do."""

from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.git_server import Authority, GitRepo, RunningServer
from tests.fixtures.large_files import oid, pointer, serving

from trimtab.adapters.git.limits import GitLimits
from trimtab.adapters.git.mirrors import GitMirrors
from trimtab.api.git_repository import GitRepositorySpec
from trimtab.core.errors import SourceError
from trimtab.reconcile.git_tree import GitTree
from trimtab.reconcile.ports import GitCredentials
from trimtab.reconcile.source_trees import SourceTrees
from trimtab.source.addresses import ANYWHERE, AddressPolicy
from trimtab.source.tree_budget import TreeBudget

CONTENT = b"kind: ConfigMap\n" * 1000
LOOPBACK = AddressPolicy(("127.0.0.0/8",))
BOB = GitCredentials("bob", "sesame-9Xq")


async def made(
    mirrors: GitMirrors,
    repository: GitRepo,
    credentials: GitCredentials | None = None,
    addresses: AddressPolicy = LOOPBACK,
    **fields: Any,
) -> GitTree:
    spec = GitRepositorySpec.model_validate({"url": repository.url, "timeout": "20s", "lfs": True, **fields})
    fetched = await mirrors.fetch(repository.url, {}, credentials, timeout_seconds=20)
    tree = await SourceTrees(git=mirrors).make(spec, fetched.revision.sha, credentials, addresses=addresses)
    assert isinstance(tree, GitTree)
    return tree


async def refused(mirrors: GitMirrors, repository: GitRepo, *args: Any, **fields: Any) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await made(mirrors, repository, *args, **fields)
    assert caught.value.problems[0].remedy
    assert "secret words" not in str(caught.value)
    return caught.value


@pytest.fixture
def app(git_server: RunningServer) -> GitRepo:
    repository = git_server.repository()
    repository.commit({"deploy/app.yaml": pointer(CONTENT), "deploy/own.yaml": "own", "media/film": pointer(b"film")})
    return repository


async def test_pointers_are_replaced_by_what_they_stand_for(mirrors, git_server, app, tmp_path):
    store = serving(git_server, CONTENT, b"film")
    tree = await made(mirrors, app)
    await tree.materialise([""], tmp_path / "with")
    assert (tmp_path / "with/deploy/app.yaml").read_bytes() == CONTENT
    assert (tmp_path / "with/deploy/own.yaml").read_text() == "own"
    without = await made(mirrors, app, lfs=False)
    await without.materialise(["deploy"], tmp_path / "without")
    assert (tmp_path / "without/deploy/app.yaml").read_text() == pointer(CONTENT)
    assert tree.identity != without.identity
    assert len(store.asked) == 2
    await made(mirrors, app)
    assert len(store.asked) == 2, "what is here is not fetched again"


async def test_what_is_left_out_is_not_fetched(mirrors, git_server, app):
    store = serving(git_server, CONTENT)
    await made(mirrors, app, ignore="/media\n")
    assert len(store.asked) == 1
    error = await refused(mirrors, app)
    assert error.reason == "LfsFailed"
    assert oid(b"film")[:12] in str(error)


async def test_credentials_go_to_the_repositorys_host_only(mirrors, private_git_server, git_server):
    app = private_git_server.repository()
    app.commit({"a": pointer(CONTENT)})
    own = serving(private_git_server, CONTENT)
    await made(mirrors, app, BOB)
    assert own.asked[0]["Authorization"].startswith("Basic ")
    assert own.asked[0]["X-Amz-Ticket"] == "1"
    assert "Metadata" not in own.asked[0]
    app.commit({"b": pointer(b"other")})
    own.contents[oid(b"other")] = b"other"
    foreign = serving(git_server, b"other")
    own.base = git_server.url
    await made(mirrors, app, BOB)
    assert "Authorization" not in foreign.asked[0]
    app.commit({"c": pointer(b"third")})
    assert (await refused(mirrors, app, GitCredentials("bob", "wrong"))).reason == "AuthenticationFailed"


async def test_a_server_leads_to_its_own_place_or_to_allowed_networks_only(
    mirrors, git_server, private_git_server, app
):
    store = serving(git_server, CONTENT, b"film")
    await made(mirrors, app, addresses=ANYWHERE)
    assert store.asked, "the place that the source itself names"
    app.commit({"c": pointer(b"third")})
    foreign = serving(private_git_server, b"third")
    store.contents[oid(b"third")] = b"third"
    store.base = private_git_server.url
    error = await refused(mirrors, app, addresses=ANYWHERE)
    assert error.reason == "AddressRefused"
    assert "the host of files in LFS" in str(error)
    assert foreign.asked == []
    await made(mirrors, app, addresses=AddressPolicy(LOOPBACK.allowed, anywhere=True))
    assert len(foreign.asked) == 1


async def test_over_tls_with_a_ca_of_ones_own(mirrors, tls_git_server, git_server, git_authority: Authority):
    app = tls_git_server.repository()
    app.commit({"a": pointer(CONTENT)})
    store = serving(tls_git_server, CONTENT)
    trusted = GitCredentials(ca_pem=git_authority.pem)
    await made(mirrors, app, trusted)
    app.commit({"a": pointer(b"other")})
    store.contents[oid(b"other")] = b"other"
    store.base = git_server.url
    error = await refused(mirrors, app, trusted)
    assert "no acceptable address" in str(error), "https does not lead to http"


async def test_redirects_are_refused_with_the_new_address(mirrors, git_server, app):
    store = serving(git_server, CONTENT, b"film")
    store.location = "http://user:pw@elsewhere.example.org/x?token=abc"
    error = await refused(mirrors, app)
    assert error.reason == "Redirected"
    assert "elsewhere.example.org/x" in str(error)
    assert "pw" not in str(error)
    assert "abc" not in str(error)


@pytest.mark.parametrize("sent", [b"x" * len(CONTENT), CONTENT[:-1], CONTENT + b"x", b""])
async def test_what_is_something_else_is_refused_and_not_kept(mirrors, git_server, app, sent):
    store = serving(git_server, CONTENT, b"film")
    store.contents[oid(CONTENT)] = sent
    assert (await refused(mirrors, app)).reason == "ContentRefused"
    kept = mirrors.folder(app.url, None) / "lfs"
    assert oid(CONTENT) not in [path.name for path in _listed(kept)]
    store.contents[oid(CONTENT)] = CONTENT
    await made(mirrors, app)
    assert oid(CONTENT) in [path.name for path in _listed(kept)]


@pytest.mark.parametrize(
    "spoiled",
    [
        {"actions": {"download": {"href": "file:///etc/passwd"}}},
        {"actions": {"download": {"href": "ftp://h/x"}}},
        {"actions": {"download": {"href": "http://u:p@h/x"}}},
        {"actions": {"download": {"href": 5}}},
        {"actions": {"download": {"href": "http://h:99999/x"}}},
        {"actions": {"download": {"href": "http://h/x", "header": {"A\r\nB": "c"}}}},
        {"actions": {"download": {"href": "http://h/x", "header": {"A": "b\r\nc: d"}}}},
        {"actions": []},
        {"oid": "f" * 64},
    ],
)
async def test_answers_that_no_honest_server_gives(mirrors, git_server, app, spoiled):
    store = serving(git_server, CONTENT, b"film")
    store.spoil = lambda one: one.update(spoiled)
    assert (await refused(mirrors, app)).reason == "LfsFailed"


async def test_a_host_whose_name_none_can_have_is_not_found(mirrors, git_server, app):
    store = serving(git_server, CONTENT, b"film")
    store.spoil = lambda one: one.update({"actions": {"download": {"href": f"http://{'h' * 70}.test/x"}}})
    assert (await refused(mirrors, app)).reason == "HostNotFound"


@pytest.mark.parametrize("status", [404, 500])
async def test_a_server_without_lfs(mirrors, git_server, app, status):
    store = serving(git_server, CONTENT, b"film")
    store.status = status
    error = await refused(mirrors, app)
    assert str(status) in str(error)
    assert error.retry


@pytest.mark.parametrize("limits", [GitLimits(max_lfs_bytes=1000), GitLimits(max_lfs_files=1)])
async def test_more_than_the_limit_is_not_begun(mirrors, git_server, app):
    store = serving(git_server, CONTENT, b"film")
    error = await refused(mirrors, app)
    assert error.reason == "TooManyBytes"
    assert "spec.sparseCheckout" in str(error)
    assert store.asked == []


async def test_a_pointer_that_lies_about_its_size(mirrors, git_server):
    app = git_server.repository()
    app.commit({"a": pointer(CONTENT, size=10)})
    serving(git_server, CONTENT)
    assert (await refused(mirrors, app)).reason == "ContentRefused"


async def test_each_place_of_a_large_file_counts(mirrors, git_server, tmp_path):
    app = git_server.repository()
    app.commit({f"{n}/film": pointer(b"x" * 50_000) for n in range(4)})
    serving(git_server, b"x" * 50_000)
    tree = await made(mirrors, app)
    with pytest.raises(SourceError) as caught:
        await tree.materialise([""], tmp_path / "out", budget=TreeBudget(150_000))
    assert caught.value.reason == "TooManyBytes"
    assert not (tmp_path / "out").exists()
    budget = TreeBudget(250_000)
    await tree.materialise([""], tmp_path / "out", budget=budget)
    assert budget.spent_bytes == 4 * 53_248


async def test_lost_files_come_again(mirrors, git_server, app, tmp_path):
    serving(git_server, CONTENT, b"film")
    tree = await made(mirrors, app)
    for path in _listed(mirrors.folder(app.url, None) / "lfs"):
        path.unlink()
    with pytest.raises(SourceError) as caught:
        await tree.materialise([""], tmp_path / "a")
    assert (caught.value.reason, caught.value.retry) == ("CommitNotFetched", True)
    await (await made(mirrors, app)).materialise([""], tmp_path / "b")
    assert (tmp_path / "b/deploy/app.yaml").read_bytes() == CONTENT


def _listed(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []
