"""What git's words mean: its error output as one `Problem` with a reason, a remedy and whether to retry.

The standard error of a failed command flows in, a redacted Problem flows out. The Git adapter calls it. Whatever
hangs on the server's state is retried, because only a later look can tell that it changed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from trimtab.core.errors import Problem
from trimtab.source.proxy import Proxy
from trimtab.source.ssh_keys import host_alias
from trimtab.source.url import place_of, redact, show_url

_NOT_READ: Final = "fatal: Could not read from remote repository"


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    reason: str
    message: str
    remedy: str


def _rule(pattern: str, reason: str, message: str, remedy: str) -> _Rule:
    return _Rule(re.compile(pattern, re.IGNORECASE), reason, message, remedy)


_CREDENTIALS: Final = "check the username and password of the Secret in spec.secretRef, and that they may read it"
_PROXY: Final = "check username and password of the Secret in spec.proxySecretRef"
_AGAIN: Final = "it is tried again; where this lasts, look at the Git server's log"
_BROKEN_OFF: Final = (
    "TransferFailed",
    "the transfer broke off",
    f"{_AGAIN}; a server that wants a client certificate (tls.crt and tls.key) may end it so, too",
)

_FINAL: Final = frozenset({"InvalidURL", "InvalidCredentials"})

# The first rule that fits decides: a TLS failure also says "unable to access", a cut transfer also "early EOF". What
# else an error explains, its consequences do not: most failures also leave an answer cut short behind.
_RULES: Final = (
    _rule(
        r"died of signal 25|out of memory|file size limit|file too large|pack exceeds maximum",
        "RepositoryTooLarge",
        "the repository is larger than the limit",
        "move large files out of it, or raise the limit of the controller",
    ),
    _rule(
        r"code 407 from proxy|tunnel failed, response 407|returned error: 407\b|user was rejected by the socks5"
        r"|proxy refused the credentials|no authentication method was acceptable|undocumented socks5 mode",
        "ProxyAuthenticationFailed",
        "the proxy refused access",
        _PROXY,
    ),
    _rule(
        r"could not resolve proxy|from proxy after connect|proxy connect aborted|connect tunnel failed"
        r"|complete socks5|socks5.*connect|connection to proxy|the proxy failed|proxy .*(handshake|tunnel)",
        "ProxyFailed",
        "the proxy made no connection to the server",
        "check the address in the Secret of spec.proxySecretRef, and that the proxy may reach the host of spec.url",
    ),
    _rule(
        r"host key verification failed",
        "HostKeyRefused",
        "the server's host key is not the one that is known",
        "put the server's host key into known_hosts of the Secret in spec.secretRef",
    ),
    _rule(
        r"load key .*: (error|invalid)",
        "InvalidCredentials",
        "identity of the Secret is no private key that ssh reads",
        "put there the file that `ssh-keygen` made, unchanged",
    ),
    _rule(
        r"permission denied \(|too many authentication failures",
        "AuthenticationFailed",
        "the server refused the SSH key",
        "allow the public half of identity of the Secret in spec.secretRef on the server; check the user in spec.url",
    ),
    _rule(
        r"no matching (host key type|key exchange method|cipher|mac)|unable to negotiate",
        "SSHNegotiationFailed",
        "server and client have no SSH algorithm in common",
        "bring the server's SSH up to date",
    ),
    _rule(
        r"could not read (username|password)|authentication failed|returned error: (401|403)\b",
        "AuthenticationFailed",
        "the server refused access",
        _CREDENTIALS,
    ),
    _rule(
        r"repository '.*' not found|error: repository not found|does not appear to be a git repository"
        r"|returned error: (404|410)\b",
        "RepositoryNotFound",
        "the server knows no such repository, or hides it from these credentials",
        f"check spec.url; where the repository is private, {_CREDENTIALS}",
    ),
    _rule(
        r"returned error: 30\d\b|unable to update url base from redirection",
        "Redirected",
        "the server redirects to another URL, which is not followed",
        "set spec.url to the repository's present URL",
    ),
    _rule(
        r"transport '.*' not allowed",
        "InvalidURL",
        "the URL's scheme is not allowed",
        "use an https or ssh URL",
    ),
    _rule(
        r"non-properly terminated|gnutls recv error.*pull function|ssl_read.*(ssl_error_syscall|unexpected eof)",
        *_BROKEN_OFF,
    ),
    _rule(
        r"certificate|gnutls|\bSSL\b|\bTLS\b",
        "TLSFailed",
        "no trusted TLS connection to the server came about",
        "check the server's certificate and its name; put a private CA into the Secret in spec.secretRef as ca.crt",
    ),
    _rule(
        r"could not resolve host(name)?",
        "HostNotFound",
        "the host name does not resolve",
        "check the host in spec.url and the cluster's DNS",
    ),
    _rule(
        r"failed to connect|couldn't connect|connection refused|no route to host|network is unreachable",
        "ConnectionFailed",
        "no connection to the server",
        "check host and port in spec.url, network policies and that the server runs",
    ),
    _rule(
        r"operation too slow|timed? ?out",
        "TimedOut",
        "the server stopped sending",
        _AGAIN,
    ),
    _rule(
        r"returned error: 429\b",
        "RateLimited",
        "the server limits the rate of requests",
        "raise spec.interval, or use credentials with a higher limit",
    ),
    _rule(
        r"returned error: 5\d\d\b",
        "ServerError",
        "the server failed",
        _AGAIN,
    ),
    _rule(
        r"fsck error|possible repository corruption|object corrupt or missing|is not a valid object"
        r"|hash mismatch|pack has bad|pack is corrupted|pack signature mismatch|inflate returned",
        "ContentRefused",
        "the server sent objects that are malformed or unsafe",
        "run `git fsck --strict` on the server's copy, and mend what it names",
    ),
    _rule(
        r"not valid: (is this a git repository|could not determine hash)|invalid server response"
        r"|expected service|bad line length|protocol error: (?!bad pack header)",
        "NotARepository",
        "what answers at this URL is no Git repository",
        "set spec.url to the URL that `git clone` takes",
    ),
    _rule(
        r"couldn't find remote ref|not our ref|unadvertised object",
        "RefNotFound",
        "the server has no such ref",
        "check spec.ref; the branch or tag may have been deleted, or the commit dropped by a forced push",
    ),
    _rule(
        r"no space left|disk quota",
        "StorageFull",
        "the controller's disk is full",
        "give its data volume more room",
    ),
    _rule(
        r"early eof|hung up|rpc failed|unexpected disconnect|transfer closed|empty reply|connection reset"
        r"|recv failure|send failure|transport endpoint is not connected|unexpected eof|premature|index-pack"
        # Of an answer that ends between two lines or within one, without another word.
        r"|bytes of (body|length header)|expected (flush after|response end packet|packfile|'packfile')|bad pack header"
        # Of ssh.
        r"|connection (to \S+ )?closed by|ssh_dispatch_run_fatal|kex_exchange_identification|banner exchange"
        r"|broken pipe",
        *_BROKEN_OFF,
    ),
)


def problem_of(stderr: str, *, url: str, secrets: Iterable[str] = ()) -> Problem:
    """Classify what git wrote on failure; the last words of git stand in the message, redacted.

    The reason is GitFailed where no rule fits.
    """
    words = redact(_last_words(stderr), secrets=secrets)
    for rule in _RULES:
        if rule.pattern.search(stderr):
            message = f"{show_url(url)}: {rule.message}: {words}"
            return Problem(message, reason=rule.reason, remedy=rule.remedy, retry=rule.reason not in _FINAL)
    return Problem(
        f"{show_url(url)}: git failed: {words or 'without a word'}", reason="GitFailed", remedy=_AGAIN, retry=True
    )


def redirected(url: str, location: str) -> Problem:
    """The problem of a redirect, naming the URL to declare instead where the server named one."""
    target = show_url(location).removesuffix("/info/refs")
    return Problem(
        f"{show_url(url)}: the server redirects to {target or 'an URL it does not name'}, which is not followed",
        reason="Redirected",
        remedy=f"set spec.url to {target}" if target else "set spec.url to the repository's present URL",
        retry=True,
    )


def timed_out(url: str, *, timeout_seconds: float) -> Problem:
    """The problem of a deadline that passed."""
    return Problem(
        f"{show_url(url)}: no answer within {timeout_seconds:g} s",
        reason="TimedOut",
        remedy="check that the server is reachable and fast; raise spec.timeout for a large repository",
        retry=True,
    )


def refused_host_key(url: str, *, shown: str, known: Iterable[str]) -> Problem:
    """The problem of a server whose host key is not in known_hosts, naming what it shows and what was wanted."""
    place = place_of(url)
    alias = host_alias(place.host, place.port)
    wanted = ", ".join(known)
    port = "" if place.port == 22 else f"-p {place.port} "
    return Problem(
        f"{show_url(url)}: the server shows the host key {shown or 'of a kind that it did not name'}; known_hosts has "
        + (f"{wanted} for {alias}" if wanted else f"none for {alias}"),
        reason="HostKeyRefused",
        remedy="compare that fingerprint with what the server's operator publishes; where it is right, put what "
        f"`ssh-keyscan {port}{place.host}` prints into known_hosts of the Secret",
        retry=True,
    )


def refused_address(host: str, kind: str, *, what: str = "the host of spec.url") -> Problem:
    """The problem of a source at an address that only this cluster or node can reach. Which one, it does not tell."""
    return Problem(
        f"{what}, {show_url(host)}, is at a {kind} address, which sources may not reach",
        reason="AddressRefused",
        remedy="use a public address, or allow its network by the controller's flag --source-network",
        retry=True,
    )


def through_proxy(problem: Problem, proxy: Proxy) -> Problem:
    """What failed on the way to a proxy is no fault of the server's address."""
    if problem.reason not in ("ConnectionFailed", "TLSFailed", "HostNotFound"):
        return problem
    return replace(
        problem,
        message=f"{problem.message} (through the proxy {proxy.shown})",
        remedy=f"check the proxy in the Secret of spec.proxySecretRef, too; {problem.remedy}",
    )


def _last_words(stderr: str) -> str:
    """The lines that name a cause: what git marks as fatal or error, else its last line; ssh marks nothing."""
    lines = [line.strip() for line in stderr.strip().splitlines() if line.strip()]
    end = next((number for number, line in enumerate(lines) if _NOT_READ in line), 0)
    if end:
        marked = [line for line in lines[:end] if line.startswith("fatal:")]
        return "; ".join(marked or lines[max(end - 3, 0) : end])
    marked = [line for line in lines if line.startswith(("fatal:", "error:", "remote:"))]
    return "; ".join(marked[-3:] or lines[-1:])
