"""Credentials of a repository as one value, refused where they could change the request that carries them.

`secret_keys` makes it from Secrets; the Git adapter has it checked once more, next to the git that would use it. No
refusal shows any of its values.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from trimtab.core.errors import Problem, SourceError
from trimtab.source.proxy import Proxy, check_proxy
from trimtab.source.ssh_keys import check_identity, known_hosts
from trimtab.source.url import scheme_of

MAX_CREDENTIAL_LENGTH: Final = 8192
MAX_PEM_LENGTH: Final = 1024 * 1024
GITHUB_API: Final = "https://api.github.com"
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s+[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
_KEY = re.compile(r"-----BEGIN ([A-Z]+ )?PRIVATE KEY-----\s[^\x00]+?-----END ([A-Z]+ )?PRIVATE KEY-----")
_ID = re.compile(r"[0-9]{1,19}")
_BASE_URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?")


@dataclass(frozen=True, slots=True)
class GitHubApp:
    """A GitHub App installed on the repository: it gets tokens of an hour in exchange for its signature."""

    app_id: str
    installation_id: str
    private_key: str
    base_url: str = GITHUB_API

    def __repr__(self) -> str:
        return f"GitHubApp({self.app_id!r}, …)"


@dataclass(frozen=True, slots=True)
class GitCredentials:
    """What opens one repository; the empty string and None stand for what is not set. `repr` shows nothing of it."""

    username: str = ""
    password: str = ""
    """Beside a user name that of the account; beside an SSH identity what unlocks it."""
    ca_pem: str = ""
    bearer_token: str = ""
    certificate: str = ""
    """The client's certificate for TLS, with `certificate_key`."""
    certificate_key: str = ""
    identity: str = ""
    """The client's private key for SSH."""
    known_hosts: str = ""
    github_app: GitHubApp | None = None
    proxy: Proxy | None = None

    def __repr__(self) -> str:
        return "GitCredentials(…)"

    def to_body(self) -> dict[str, Any]:
        """A JSON-like form, as secret as this."""
        return asdict(self)

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> "GitCredentials":
        """The inverse of `to_body`."""
        values = {each.name: body[each.name] for each in fields(cls) if each.name in body}
        if values.get("github_app"):
            values["github_app"] = GitHubApp(**values["github_app"])
        if values.get("proxy"):
            values["proxy"] = Proxy(**values["proxy"])
        return cls(**values)


def check_credentials(url: str, given: GitCredentials) -> None:
    """Refuse what no request may carry, or what does not fit the URL. Raises SourceError (InvalidCredentials)."""
    for field, value in (
        ("username", given.username),
        ("password", given.password),
        ("bearerToken", given.bearer_token),
    ):
        _check_text(field, value)
    if ":" in given.username:
        raise refusal("username", "holds a colon, which basic auth cannot carry", "use a user name without one")
    _check_certificates("ca.crt", given.ca_pem)
    _check_certificates("tls.crt", given.certificate)
    _check_client_key(given)
    if given.github_app:
        _check_app(given.github_app)
    if given.proxy:
        check_proxy(given.proxy)
        _check_certificates("ca.crt of the proxy", given.proxy.ca_pem)
    if scheme_of(url) == "ssh":
        _check_ssh(given)


def refusal(field: str, fault: str, remedy: str) -> SourceError:
    """The error of one key of a Secret."""
    return SourceError(Problem(f"{field} of the Secret {fault}", reason="InvalidCredentials", remedy=remedy))


def _check_text(field: str, value: str) -> None:
    if any(ord(c) < 32 or ord(c) == 127 for c in value):
        raise refusal(field, "holds a control character", "check for a line break at its end: use `echo -n`")
    if len(value) > MAX_CREDENTIAL_LENGTH:
        raise refusal(field, f"is longer than {MAX_CREDENTIAL_LENGTH} characters", "use an access token")
    if field == "bearerToken" and not value.isascii():
        raise refusal(field, "holds a character outside ASCII", "write the token as the server gave it out")


def _check_certificates(field: str, pem: str) -> None:
    if not pem:
        return
    if len(pem) > MAX_PEM_LENGTH or not _CERTIFICATE.search(pem):
        raise refusal(field, "holds no PEM certificate", "put it there as -----BEGIN CERTIFICATE-----")
    if "PRIVATE KEY-----" in pem:
        raise refusal(field, "holds a private key", "put certificates only there, and replace the exposed key")


def _check_client_key(given: GitCredentials) -> None:
    key = given.certificate_key
    if bool(key) != bool(given.certificate):
        raise refusal("tls.crt", "and tls.key do not stand together", "set both, or neither")
    if not key:
        return
    if len(key) > MAX_PEM_LENGTH or not _KEY.search(key):
        raise refusal("tls.key", "holds no PEM private key", "put it there as -----BEGIN PRIVATE KEY-----")
    if "ENCRYPTED" in key:
        raise refusal("tls.key", "is encrypted", "store it without a passphrase: `openssl pkey` writes it so")


def _check_app(app: GitHubApp) -> None:
    for field, value in (("githubAppID", app.app_id), ("githubAppInstallationID", app.installation_id)):
        if not _ID.fullmatch(value):
            raise refusal(field, "is no number", "copy it from the App's settings on GitHub")
    if len(app.private_key) > MAX_PEM_LENGTH or not _KEY.search(app.private_key) or "ENCRYPTED" in app.private_key:
        raise refusal("githubAppPrivateKey", "holds no PEM private key", "put there the .pem file that GitHub gave out")
    if len(app.base_url) > MAX_CREDENTIAL_LENGTH or not _BASE_URL.fullmatch(app.base_url):
        raise refusal("githubAppBaseURL", "is no https URL", "write it like https://github.example.org/api/v3")


def _check_ssh(given: GitCredentials) -> None:
    if not given.identity:
        raise SourceError(
            Problem(
                "an ssh URL needs a private key",
                reason="InvalidCredentials",
                remedy="name a Secret with identity and known_hosts in spec.secretRef",
            )
        )
    check_identity(given.identity, has_password=bool(given.password))
    if not known_hosts(given.known_hosts):
        raise refusal(
            "known_hosts", "holds no host key", "put there what `ssh-keyscan HOST` prints, once you have compared it"
        )
