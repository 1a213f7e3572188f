"""A GitHub App's token: signs a claim with the App's key and has it exchanged for access to one installation.

App, CA, proxy and policy flow in, a token with its expiry or a `SourceError` flows out. Runs in a worker; `app_tokens`
asks for it. Redirects are not followed: they would carry the claim elsewhere.
"""

import http.client
import json
import time
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from trimtab.adapters.git.addresses import Lookup, look_up
from trimtab.adapters.git.messages import AppToken, AppTokenAnswer
from trimtab.adapters.git.routes import connected, route_to
from trimtab.core.errors import Problem, SourceError
from trimtab.source.addresses import AddressPolicy
from trimtab.source.credentials import GitCredentials, GitHubApp, check_credentials
from trimtab.source.failures import redirected
from trimtab.source.url import show_url

_TIMEOUT_SECONDS: Final = 30.0
_MAX_ANSWER_BYTES: Final = 1024 * 1024
_CLOCK_SKEW_SECONDS: Final = 60
_CLAIM_SECONDS: Final = 540
"""GitHub refuses claims that live longer than ten minutes."""


def app_token(request: AppToken, *, lookup: Lookup = look_up) -> AppTokenAnswer:
    """Obtain a token. Raises SourceError."""
    credentials = GitCredentials.from_body(request.credentials)
    app = credentials.github_app
    assert app is not None, "asked for Apps only"
    check_credentials(app.base_url, credentials)
    status, location, body = _exchange(
        app, credentials, AddressPolicy.from_body(request.addresses), claim=_claim(app), lookup=lookup
    )
    if status != 201:
        raise SourceError(_refused(app, status, location))
    try:
        answer = json.loads(body)
        expires = datetime.fromisoformat(answer["expires_at"]).timestamp()
        token = str(answer["token"])
    except (ValueError, KeyError, TypeError):
        raise SourceError(_problem(app, "answered what is no token", "ServerError", _BASE_URL)) from None
    return AppTokenAnswer(token=token, expires=expires)


def _claim(app: GitHubApp) -> str:
    import jwt

    now = int(time.time())
    claims = {"iat": now - _CLOCK_SKEW_SECONDS, "exp": now + _CLAIM_SECONDS, "iss": app.app_id}
    try:
        return jwt.encode(claims, app.private_key, algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError):
        raise SourceError(
            Problem(
                "githubAppPrivateKey of the Secret is no RSA key",
                reason="InvalidCredentials",
                remedy="put there the .pem file that GitHub gave out, unchanged",
            )
        ) from None


def _exchange(
    app: GitHubApp, credentials: GitCredentials, policy: AddressPolicy, *, claim: str, lookup: Lookup
) -> tuple[int, str, bytes]:
    parts = urlsplit(app.base_url)
    host, port = parts.hostname or "", parts.port or 443
    route = route_to(
        host,
        port,
        policy,
        url=app.base_url,
        proxy=credentials.proxy,
        ca_pem=credentials.ca_pem,
        lookup=lookup,
        what="the host of githubAppBaseURL",
    )
    connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)
    connection.sock = connected(route, tls=True, timeout_seconds=_TIMEOUT_SECONDS)
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {claim}",
        "Host": parts.netloc,
        "User-Agent": "trimtab",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    try:
        connection.request(
            "POST", f"{parts.path}/app/installations/{app.installation_id}/access_tokens", headers=headers
        )
        answer: Any = connection.getresponse()
        return answer.status, answer.headers.get("Location", ""), answer.read(_MAX_ANSWER_BYTES)
    except (OSError, http.client.HTTPException):
        raise SourceError(_problem(app, "broke the connection off", "TransferFailed", _AGAIN)) from None
    finally:
        connection.close()


_AGAIN: Final = "it is tried again; where this lasts, look at GitHub's status page or the server's log"
_BASE_URL: Final = "check githubAppBaseURL of the Secret: https://HOST/api/v3 for GitHub Enterprise Server"


def _refused(app: GitHubApp, status: int, location: str) -> Problem:
    if status in (301, 302, 303, 307, 308):
        problem = redirected(app.base_url, location)
        return Problem(problem.message, reason="Redirected", remedy=_BASE_URL, retry=True)
    if status in (401, 403):
        return _problem(
            app,
            f"refused the App's signature ({status})",
            "AuthenticationFailed",
            "check githubAppID and githubAppPrivateKey of the Secret in spec.secretRef, and the controller's clock",
        )
    if status == 404:
        return _problem(
            app,
            f"knows no installation {app.installation_id} of this App",
            "AuthenticationFailed",
            f"check githubAppInstallationID of the Secret, and that the App is installed; {_BASE_URL}",
        )
    return _problem(app, f"answered {status}", "RateLimited" if status == 429 else "ServerError", _AGAIN)


def _problem(app: GitHubApp, fault: str, reason: str, remedy: str) -> Problem:
    return Problem(f"{show_url(app.base_url)} {fault}", reason=reason, remedy=remedy, retry=True)
