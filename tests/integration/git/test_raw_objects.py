"""The bytes of commits and tags as a mirror hands them out: those of the object, whatever the ref does meanwhile."""

from hashlib import sha1

import pytest

from trimtab.core.errors import SourceError


def name_of(kind, raw):
    return sha1(b"%b %d\0%b" % (kind, len(raw), raw), usedforsecurity=False).hexdigest()


async def test_a_commits_bytes_have_its_name(mirrors, git_repo):
    sha = git_repo.commit({"a": "1"}, "Words\n\n  with spaces, ümlauts and a line at the end \n\n")
    fetched = await mirrors.fetch(git_repo.url, {"branch": "main"}, None, timeout_seconds=20)
    assert (fetched.revision.sha, fetched.tag_sha) == (sha, "")
    assert name_of(b"commit", await mirrors.raw_object(git_repo.url, None, sha)) == sha


async def test_an_annotated_tag_comes_with_its_object_and_may_change_alone(mirrors, git_repo):
    git_repo.tag("v1", message="First words")
    fetched = await mirrors.fetch(git_repo.url, {"tag": "v1"}, None, timeout_seconds=20)
    sha, first = fetched.revision.sha, git_repo.git("rev-parse", "refs/tags/v1")
    assert fetched.tag_sha == first != sha
    again = await mirrors.fetch(git_repo.url, {"tag": "v1"}, None, timeout_seconds=20)
    assert (again.tag_sha, again.changed) == (first, False)
    git_repo.tag("v1", message="Other words")
    moved = await mirrors.fetch(git_repo.url, {"tag": "v1"}, None, timeout_seconds=20)
    assert (moved.changed, moved.revision.sha, moved.tag_sha == first) == (False, sha, False)
    raw = await mirrors.raw_object(git_repo.url, None, sha, tag_sha=moved.tag_sha)
    assert name_of(b"tag", raw) == moved.tag_sha
    assert b"Other words" in raw


async def test_a_lightweight_tag_has_no_object(mirrors, git_repo):
    git_repo.tag("light")
    assert (await mirrors.fetch(git_repo.url, {"tag": "light"}, None, timeout_seconds=20)).tag_sha == ""


async def test_what_is_not_there_or_too_large_is_refused(mirrors, git_repo):
    sha = git_repo.commit({"a": "1"}, "x" * (1024 * 1024 + 1))
    await mirrors.fetch(git_repo.url, {"branch": "main"}, None, timeout_seconds=20)
    for asked, tag_sha, reason in (
        ("1" * 40, "", "CommitNotFetched"),
        (sha, "2" * 40, "CommitNotFetched"),
        (sha, "", "ContentRefused"),
    ):
        with pytest.raises(SourceError) as caught:
            await mirrors.raw_object(git_repo.url, None, asked, tag_sha=tag_sha)
        assert caught.value.reason == reason
