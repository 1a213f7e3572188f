"""git's words: each failure has its own reason, says what to do, and repeats no secret."""

import pytest

from trimtab.source.failures import (
    problem_of,
    redirected,
    refused_address,
    refused_host_key,
    through_proxy,
    timed_out,
)
from trimtab.source.proxy import Proxy

URL = "https://git.example.org/app.git"
NOT_READ = "fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights"


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
        ("error: 751 bytes of body are still expected\nfatal: protocol error: bad pack header", "TransferFailed"),
        ("error: 56 bytes of body are still expected\nfatal: expected flush after ref listing", "TransferFailed"),
        ("fatal: expected flush after capabilities", "TransferFailed"),
        ("fatal: expected response end packet after ref listing", "TransferFailed"),
        ("fatal: protocol error: bad line length character: Uy5\nfatal: early EOF", "NotARepository"),
        (
            "fatal: unable to access 'x': GnuTLS recv error (-110): The TLS connection was non-properly terminated.",
            "TransferFailed",
        ),
        ("fatal: unable to access 'x': OpenSSL SSL_read: SSL_ERROR_SYSCALL, errno 104", "TransferFailed"),
        ("fatal: unable to access 'x': GnuTLS recv error (-12): A TLS fatal alert has been received.", "TLSFailed"),
        ("fatal: unable to access 'x': Received HTTP code 407 from proxy after CONNECT", "ProxyAuthenticationFailed"),
        ("fatal: unable to access 'x': CONNECT tunnel failed, response 407", "ProxyAuthenticationFailed"),
        ("fatal: unable to access 'x': The requested URL returned error: 407", "ProxyAuthenticationFailed"),
        ("fatal: unable to access 'x': User was rejected by the SOCKS5 server (1 1).", "ProxyAuthenticationFailed"),
        ("fatal: unable to access 'x': CONNECT tunnel failed, response 502", "ProxyFailed"),
        ("fatal: unable to access 'x': Could not resolve proxy: p.invalid", "ProxyFailed"),
        ("fatal: unable to access 'x': Can't complete SOCKS5 connection to h. (4)", "ProxyFailed"),
        (f"git@h: Permission denied (publickey).\r\n{NOT_READ}", "AuthenticationFailed"),
        (f"ERROR: Repository not found.\n{NOT_READ}", "RepositoryNotFound"),
        (f"No ED25519 host key is known for h\nHost key verification failed.\n{NOT_READ}", "HostKeyRefused"),
        (f'Load key "/proc/1/fd/9": error in libcrypto\n{NOT_READ}', "InvalidCredentials"),
        (f"Unable to negotiate with h: no matching host key type found.\n{NOT_READ}", "SSHNegotiationFailed"),
        (f"ssh: Could not resolve hostname h: Name or service not known\n{NOT_READ}", "HostNotFound"),
        (f"ssh: connect to host h port 22: Connection refused\n{NOT_READ}", "ConnectionFailed"),
        (f"kex_exchange_identification: read: Connection reset by peer\n{NOT_READ}", "TransferFailed"),
        ("client_loop: send disconnect: Broken pipe", "TransferFailed"),
        ("Connection to git.example.com closed by remote host.", "TransferFailed"),
        (f"Connection closed by 192.0.2.1 port 22\n{NOT_READ}", "TransferFailed"),
        (
            f"ssh_dispatch_run_fatal: Connection to h port 22: message authentication code incorrect\n{NOT_READ}",
            "TransferFailed",
        ),
        (f"kex_exchange_identification: banner line contains invalid characters\n{NOT_READ}", "TransferFailed"),
        ("fatal: something that git never said before", "GitFailed"),
        ("", "GitFailed"),
    ],
)
def test_each_failure_has_its_reason_and_remedy(words, reason):
    problem = problem_of(words, url=URL)
    assert problem.reason == reason
    assert problem.remedy
    assert problem.message.startswith(URL)
    assert problem.retry is (reason not in ("InvalidURL", "InvalidCredentials"))


def test_the_words_that_name_the_cause_are_kept_and_progress_is_not():
    words = "Receiving objects: 10%\nremote: too big\nerror: RPC failed\nfatal: early EOF\n"
    message = problem_of(words, url=URL).message
    assert message.endswith("remote: too big; error: RPC failed; fatal: early EOF")
    assert problem_of("one\nlast line", url=URL).message.endswith("last line")


def test_of_ssh_what_it_said_before_it_ended_is_kept():
    words = f"git@h: Permission denied (publickey).\n{NOT_READ}"
    assert problem_of(words, url=URL).message.endswith("git@h: Permission denied (publickey).")


def test_a_refused_host_key_names_what_is_shown_and_what_was_wanted():
    problem = refused_host_key("ssh://git@h:2222/a", shown="ssh-rsa SHA256:new", known=["ssh-rsa SHA256:old"])
    assert "shows the host key ssh-rsa SHA256:new; known_hosts has ssh-rsa SHA256:old for [h]:2222" in problem.message
    assert "ssh-keyscan -p 2222 h" in problem.remedy
    missing = refused_host_key("ssh://git@h/a", shown="", known=[])
    assert "known_hosts has none for h" in missing.message
    assert "`ssh-keyscan h`" in missing.remedy


def test_a_refused_address_is_told_by_its_kind_only():
    problem = refused_address("metadata.example.org", "link-local")
    assert problem.reason == "AddressRefused"
    assert "metadata.example.org, is at a link-local address" in problem.message
    assert "--source-network" in problem.remedy


def test_the_way_to_a_proxy_is_named():
    proxy = Proxy("http://p:3128", "u", "canary")
    problem = through_proxy(problem_of("Failed to connect to p port 3128", url=URL), proxy)
    assert "through the proxy http://p:3128" in problem.message
    assert "proxySecretRef" in problem.remedy
    other = problem_of("fatal: early EOF", url=URL)
    assert through_proxy(other, proxy) == other


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
