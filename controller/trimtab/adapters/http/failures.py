"""What goes wrong between us and a web server, as Problems with a reason, a remedy and whether to retry."""

import errno
import ssl

import aiohttp

from trimtab.core.errors import Problem, SourceError
from trimtab.source.url import redact, show_url

_CREDENTIALS = "check the Secret in spec.secretRef, and that its account may read this"
_AGAIN = "it is tried again; where this lasts, look at the server's log"


def status_failure(url: str, status: int) -> SourceError:
    """The error for an answer that is none of success or redirect."""
    shown = show_url(url)
    if status in (401, 403, 407):
        return _error(f"{shown}: the server refused access ({status})", "AuthenticationFailed", _CREDENTIALS)
    if status in (404, 410):
        message = f"{shown}: the server has it not, or hides it from these credentials"
        return _error(message, "NotFound", f"check spec.url and spec.ref; where it is private, {_CREDENTIALS}")
    if status == 429:
        message = f"{shown}: the server limits the rate of requests"
        return _error(message, "RateLimited", "raise spec.interval, or use credentials with a higher limit")
    return _error(f"{shown}: the server answered {status}", "ServerError" if status >= 500 else "Refused", _AGAIN)


def connection_failure(url: str, error: Exception) -> SourceError:
    """The error for an exception of the HTTP library."""
    shown = show_url(url)
    # Within a tunnel the library knows TLS' failures for no more than failures of the socket.
    within = error.__cause__ if isinstance(error.__cause__, ssl.SSLError) else error
    match within:
        case aiohttp.InvalidURL():
            # The library takes no spelling of an address but the usual one.
            message = f"{shown}: the host is neither a name nor an address as it is usually written"
            return _error(message, "InvalidURL", "write the host's name, or an address like 192.0.2.1 or [2001:db8::1]")
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError() | ssl.SSLError():
            message = f"{shown}: no trusted TLS connection came about: {redact(str(within))[:300]}"
            remedy = "check the server's certificate and its name; put a private CA into spec.certSecretRef as ca.crt"
            return _error(message, "TLSFailed", remedy)
        case aiohttp.ClientConnectorDNSError():
            remedy = "check the host in spec.url and the cluster's DNS"
            return _error(f"{shown}: the host name does not resolve", "HostNotFound", remedy)
        case aiohttp.ClientConnectorError():
            remedy = "check host and port in spec.url, network policies and that the server runs"
            return _error(f"{shown}: no connection to the server", "ConnectionFailed", remedy)
        case aiohttp.ServerTimeoutError():
            remedy = "check host and port in spec.url, network policies and the server's load"
            return _error(f"{shown}: the server does not answer", "TimedOut", remedy)
        case aiohttp.ClientPayloadError() | aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError():
            return _error(f"{shown}: the transfer broke off", "TransferFailed", _AGAIN)
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            remedy = "give the controller's data volume more room"
            return _error(f"{shown}: the controller's disk is full", "StorageFull", remedy)
        case _:
            name = type(error).__name__
            return _error(f"{shown}: the server's answer cannot be understood ({name})", "ServerError", _AGAIN)


def timed_out(url: str, seconds: float) -> SourceError:
    """The error for a deadline that passed."""
    remedy = "check that the server is reachable and fast; raise spec.timeout for large artifacts"
    return _error(f"{show_url(url)}: not done within {seconds:g} s", "TimedOut", remedy)


def too_large(url: str, limit: int) -> SourceError:
    """The error for more bytes than allowed or announced."""
    message = f"{show_url(url)}: more than the {limit} bytes that are allowed or were announced"
    return _error(message, "TooLarge", "publish something smaller")


def digest_differs(url: str, wanted: str) -> SourceError:
    """The error for content that is not what its digest says."""
    message = f"{show_url(url)}: the content is not what its digest {wanted} says"
    return _error(message, "DigestMismatch", "publish it anew; where this lasts, somebody changes it on the way")


def _error(message: str, reason: str, remedy: str) -> SourceError:
    return SourceError(Problem(message, reason=reason, remedy=remedy, retry=True))
