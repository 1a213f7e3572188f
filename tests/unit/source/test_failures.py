"""git's words: each failure has its own reason, says what to do, and repeats no secret."""

import pytest

from trimtab.source.failures import problem_of, redirected, timed_out

URL = "https://git.example.org/app.git"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("fatal: could not read Username for 'http://h': terminal prompts disabled", "AuthenticationFailed"),
        ("fatal: unable to access 'http://h/': The requested URL returned error: 403", "AuthenticationFailed"),
        ("fatal: Authentication failed for 'http://h/'", "AuthenticationFailed"),
        ("fatal: repository 'http://h/nope.git/' not found", "RepositoryNotFound"),
        ("fatal: unable to access 'http://h/': The requested URL returned error: 301", "Redirected"),
        ("fatal: transport 'file' not allowed", "InvalidURL"),
        ("fatal: unable to access 'x': server certificate verification failed. CAfile: none", "TLSFailed"),
        ("fatal: unable to access 'x': SSL certificate problem: self signed certificate", "TLSFailed"),
        ("fatal: unable to access 'x': gnutls_handshake() failed: An unexpected TLS packet", "TLSFailed"),
        ("fatal: unable to access 'x': Could not resolve host: nope.invalid", "HostNotFound"),
        ("fatal: unable to access 'x': Failed to connect to h port 1 after 0 ms: Couldn't connect", "ConnectionFailed"),
        ("error: RPC failed; curl 28 Operation too slow. Less than 1 bytes/sec transferred", "TimedOut"),
        ("fatal: unable to access 'x': The requested URL returned error: 429", "RateLimited"),
        ("fatal: unable to access 'x': The requested URL returned error: 503", "ServerError"),
        ("fatal: http://h/info/refs not valid: is this a git repository?", "NotARepository"),
        ("fatal: couldn't find remote ref refs/heads/nope", "RefNotFound"),
        ("fatal: remote error: upload-pack: not our ref 1111", "RefNotFound"),
        ("error: index-pack died of signal 25", "RepositoryTooLarge"),
        ("fatal: write error: No space left on device", "StorageFull"),
        ("error: object 12: hasDotgit: contains '.git'\nfatal: fsck error in packed object", "ContentRefused"),
        ("remote: aborting due to possible repository corruption\nfatal: protocol error: bad pack", "ContentRefused"),
        ("error: RPC failed; curl 18 transfer closed with outstanding read data remaining", "TransferFailed"),
        ("fatal: early EOF\nfatal: fetch-pack: invalid index-pack output", "TransferFailed"),
        ("fatal: something that git never said before", "GitFailed"),
        ("", "GitFailed"),
    ],
)
def test_each_failure_has_its_reason_and_remedy(words, reason):
    problem = problem_of(words, url=URL)
    assert problem.reason == reason
    assert problem.remedy
    assert problem.message.startswith(URL)
    assert problem.retry is (reason != "InvalidURL")


def test_the_words_that_name_the_cause_are_kept_and_progress_is_not():
    words = "Receiving objects: 10%\nremote: too big\nerror: RPC failed\nfatal: early EOF\n"
    message = problem_of(words, url=URL).message
    assert message.endswith("remote: too big; error: RPC failed; fatal: early EOF")
    assert problem_of("one\nlast line", url=URL).message.endswith("last line")


def test_no_secret_is_repeated():
    words = "fatal: unable to access 'https://bob:canary1@h/': canary2 Authorization: Basic canary3"
    shown = str(problem_of(words, url="https://bob:canary4@h/", secrets=["canary2"]))
    assert "canary" not in shown


def test_a_redirect_names_the_url_to_declare():
    problem = redirected(URL, "https://bob:canary@new.example.org/app.git/info/refs?service=git-upload-pack")
    assert problem.remedy == "set spec.url to https://…@new.example.org/app.git"
    assert problem.reason == "Redirected"
    assert "present URL" in redirected(URL, "").remedy


def test_a_deadline_names_its_length():
    assert "within 2.5 s" in timed_out(URL, timeout_seconds=2.5).message
    assert timed_out(URL, timeout_seconds=1).retry
