"""What git's words mean: its error output as one `Problem` with a reason, a remedy and whether to retry.

The standard error of a failed command flows in, a redacted Problem flows out. The Git adapter calls it. Whatever
hangs on the server's state is retried, because only a later look can tell that it changed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from trimtab.core.errors import Problem
from trimtab.source.url import redact, show_url


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    reason: str
    message: str
    remedy: str


def _rule(pattern: str, reason: str, message: str, remedy: str) -> _Rule:
    return _Rule(re.compile(pattern, re.IGNORECASE), reason, message, remedy)


_CREDENTIALS: Final = "check the username and password of the Secret in spec.secretRef, and that they may read it"
_AGAIN: Final = "it is tried again; where this lasts, look at the Git server's log"

# The first rule that fits decides: a TLS failure also says "unable to access", a cut transfer also "early EOF".
_RULES: Final = (
    _rule(
        r"died of signal 25|out of memory|file size limit|file too large|pack exceeds maximum",
        "RepositoryTooLarge",
        "the repository is larger than the limit",
        "move large files out of it, or raise the limit of the controller",
    ),
    _rule(
        r"could not read (username|password)|authentication failed|returned error: (401|403|407)\b",
        "AuthenticationFailed",
        "the server refused access",
        _CREDENTIALS,
    ),
    _rule(
        r"repository '.*' not found|returned error: (404|410)\b",
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
        "use an https URL",
    ),
    _rule(
        r"certificate|gnutls|\bSSL\b|\bTLS\b",
        "TLSFailed",
        "no trusted TLS connection to the server came about",
        "check the server's certificate and its name; put a private CA into the Secret in spec.secretRef as ca.crt",
    ),
    _rule(
        r"could not resolve (host|proxy)",
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
        r"fsck error|possible repository corruption|bad pack header|object corrupt or missing|is not a valid object"
        r"|hash mismatch|pack has bad|pack is corrupted|pack signature mismatch|inflate returned",
        "ContentRefused",
        "the server sent objects that are malformed or unsafe",
        "run `git fsck --strict` on the server's copy, and mend what it names",
    ),
    _rule(
        r"not valid: (is this a git repository|could not determine hash)|invalid server response|protocol error"
        r"|expected (service|flush)|bad line length",
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
        r"|recv failure|send failure|unexpected eof|premature|index-pack",
        "TransferFailed",
        "the transfer broke off",
        _AGAIN,
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
            return Problem(message, reason=rule.reason, remedy=rule.remedy, retry=rule.reason != "InvalidURL")
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


def _last_words(stderr: str) -> str:
    """The lines that name a cause: what git marks as fatal or error, else its last line."""
    lines = [line.strip() for line in stderr.strip().splitlines() if line.strip()]
    marked = [line for line in lines if line.startswith(("fatal:", "error:", "remote:"))]
    return "; ".join(marked[-3:] or lines[-1:])
