"""What goes over the socket to a worker comes out as it went in; secrets stay out of reprs."""

import socket

import pytest

from trimtab.adapters.git import frames
from trimtab.adapters.git.messages import (
    AppToken,
    AppTokenAnswer,
    Between,
    Cleanup,
    Condition,
    Fetch,
    FetchLarge,
    LastChanges,
    Materialise,
    Modules,
    Select,
    Tree,
    Warm,
    error_of,
    from_message,
    refusal,
    to_message,
)
from trimtab.core.errors import Problem, SourceError
from trimtab.core.manifest import Origin
from trimtab.source.addresses import AddressPolicy
from trimtab.source.credentials import GitCredentials

FETCH = Fetch(
    mirror="/m",
    url="https://h/a",
    ref={"branch": "ä"},
    credentials=GitCredentials("u", "canary").to_body(),
    condition=Condition.BROKEN,
)


@pytest.mark.parametrize(
    "request_",
    [
        FETCH,
        AppToken(credentials=GitCredentials(bearer_token="canary").to_body(), addresses=AddressPolicy().to_body()),
        Tree(mirror="/m", sha="a" * 40, path="x"),
        Materialise(mirror="/m", sha="a" * 40, paths=["", "x"], target="/t", max_files=1, max_bytes=2),
        Between(mirror="/m", url="https://h/a", ref={}, newer="a" * 40, older="b" * 40, max_commits=2),
        LastChanges(mirror="/m", url="https://h/a", ref={}, sha="a" * 40, places=[["x", 1]], depths=[5]),
        FetchLarge(mirror="/m", url="https://h/a", ref={}, sha="a" * 40, max_files=1, max_bytes=2),
        Select(mirror="/m", sha="a" * 40, ignore="*.md\n", sparse=["a"], name="n"),
        Modules(mirror="/m", sha="a" * 40, max_modules=3),
        Cleanup(mirror="/m", kept_commits=2, forget_seconds=1.5),
        Warm(),
    ],
)
def test_requests_survive_the_way(request_):
    assert (
        from_message(frames.decode(frames.encode(to_message(request_, max_memory_bytes=1))[frames.HEADER.size :]))
        == request_
    )


def test_credentials_do_not_show():
    assert "canary" not in repr(FETCH)
    assert "canary" not in repr(AppToken(credentials={"password": "canary"}, addresses={}))
    assert "canary" not in repr(AppTokenAnswer(token="canary", expires=0.0))


def test_errors_survive_the_way():
    problems = (
        Problem("one", origin=Origin("a/b"), reason="SymlinkRefused", remedy="do"),
        Problem("two", reason="TimedOut", retry=True),
    )
    error = error_of(frames.decode(frames.encode(refusal(SourceError(*problems)))[frames.HEADER.size :]))
    assert error is not None
    assert error.problems == problems
    assert error_of({"sha": "x"}) is None


def test_frames_are_read_whole_whatever_their_pieces():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        data = frames.encode({"a": "x" * 5000}) + frames.encode({"b": 2})
        ours.sendall(data)
        assert frames.read(theirs) == {"a": "x" * 5000}
        assert frames.read(theirs) == {"b": 2}
        ours.sendall(data[:100])
        ours.close()
        assert frames.read(theirs) is None


@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff", b"\0\0\0\2[]", b"\0\0\0\2{]"])
def test_what_no_worker_sends_is_an_error(data):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(data)
        with pytest.raises(ValueError, match=r"message|JSON|property"):
            frames.read(theirs)
