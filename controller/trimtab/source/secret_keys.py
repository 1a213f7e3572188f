"""What the Secrets of a repository hold, by the names that Flux gave their keys: read, and refused where unclear.

The texts of a Secret and the URL that they are for flow in, credentials or a `SourceError` that names Secret and key
but no value flow out. The loop calls it; `credentials` says what the values must look like.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from trimtab.core.errors import Problem, SourceError
from trimtab.core.refs import ObjectRef
from trimtab.source.credentials import GITHUB_API, GitCredentials, GitHubApp
from trimtab.source.proxy import Proxy
from trimtab.source.url import scheme_of

_OLD_NAMES: Final = {"caFile": "ca.crt", "certFile": "tls.crt", "keyFile": "tls.key"}
_BASIC: Final = ("username", "password")
_TLS: Final = ("tls.crt", "tls.key")
_SSH: Final = ("identity", "known_hosts")
_APP: Final = ("githubAppID", "githubAppInstallationID", "githubAppPrivateKey")
_APP_URL: Final = "githubAppBaseURL"
_OVER_HTTP: Final = (*_BASIC, "bearerToken", "ca.crt", *_TLS, *_APP, _APP_URL)


def credentials_of(ref: ObjectRef, secret: Mapping[str, str], url: str) -> GitCredentials:
    """Credentials for an URL. Raises SourceError (reason SecretInvalid) on half of a pair and on contradictions."""
    texts = _renamed(ref, secret)
    return _for_ssh(ref, texts) if scheme_of(url) == "ssh" else _for_http(ref, texts, url)


def proxy_of(ref: ObjectRef, texts: Mapping[str, str]) -> Proxy:
    """The proxy of a Secret. Raises SourceError (reason SecretInvalid) without an address or with half of a login."""
    if not texts.get("address"):
        raise _refusal(ref, "the Secret has no address", "set address, like http://proxy.example.org:3128")
    _both(ref, texts, _BASIC)
    address = texts["address"].strip()
    return Proxy(address, texts.get("username", ""), texts.get("password", ""), texts.get("ca.crt", ""))


def _for_http(ref: ObjectRef, texts: Mapping[str, str], url: str) -> GitCredentials:
    if stray := _set(texts, _SSH):
        raise _refusal(
            ref,
            f"the Secret holds {stray[0]}, which an {scheme_of(url)} URL does not use",
            "use an ssh:// URL, or a Secret with username and password",
        )
    for pair in (_BASIC, _TLS, _APP):
        _both(ref, texts, pair)
    logins = [names[0] for names in (_BASIC, ("bearerToken",), _APP) if _set(texts, names)]
    if len(logins) > 1:
        raise _refusal(ref, f"the Secret has both {logins[0]} and {logins[1]}", "keep one way to log in")
    if texts.get(_APP_URL) and "githubAppID" not in logins:
        raise _refusal(ref, f"the Secret has {_APP_URL} without {_APP[0]}", f"set {', '.join(_APP)} with it")
    if scheme_of(url) == "http" and (secure := _set(texts, (*_TLS, *_APP))):
        raise _refusal(ref, f"the Secret holds {secure[0]}, which needs an https URL", "begin spec.url with https://")
    return GitCredentials(
        texts.get("username", ""),
        texts.get("password", ""),
        texts.get("ca.crt", ""),
        bearer_token=texts.get("bearerToken", ""),
        certificate=texts.get("tls.crt", ""),
        certificate_key=texts.get("tls.key", ""),
        github_app=_app(texts) if "githubAppID" in logins else None,
    )


def _for_ssh(ref: ObjectRef, texts: Mapping[str, str]) -> GitCredentials:
    if stray := _set(texts, tuple(name for name in _OVER_HTTP if name != "password")):
        raise _refusal(
            ref,
            f"the Secret holds {stray[0]}, which an ssh URL does not use",
            "use an https:// URL, or a Secret with identity and known_hosts",
        )
    _both(ref, texts, _SSH)
    if not texts.get("identity"):
        raise _refusal(ref, "the Secret has no identity", "set identity and known_hosts for an ssh URL")
    return GitCredentials(
        password=texts.get("password", ""), identity=texts["identity"], known_hosts=texts["known_hosts"]
    )


def _app(texts: Mapping[str, str]) -> GitHubApp:
    base_url = texts.get(_APP_URL, "").strip().rstrip("/")
    app_id, installation_id = texts["githubAppID"].strip(), texts["githubAppInstallationID"].strip()
    return GitHubApp(app_id, installation_id, texts["githubAppPrivateKey"], base_url or GITHUB_API)


def _renamed(ref: ObjectRef, secret: Mapping[str, str]) -> dict[str, str]:
    texts = dict(secret)
    for old, new in _OLD_NAMES.items():
        if texts.get(old):
            if texts.get(new):
                raise _refusal(ref, f"the Secret has both {old} and {new}", f"keep {new}")
            texts[new] = texts.pop(old)
    return texts


def _both(ref: ObjectRef, texts: Mapping[str, str], names: tuple[str, ...]) -> None:
    there = _set(texts, names)
    if not there or len(there) == len(names):
        return
    if len(names) == 2:
        raise _refusal(ref, f"the Secret has only one of {names[0]} and {names[1]}", "set both, or neither")
    missing = [name for name in names if name not in there]
    raise _refusal(ref, f"the Secret has {there[0]} without {missing[0]}", f"set {', '.join(names)}, or none of them")


def _set(texts: Mapping[str, str], names: Iterable[str]) -> list[str]:
    return [name for name in names if texts.get(name)]


def _refusal(ref: ObjectRef, fault: str, remedy: str) -> SourceError:
    return SourceError(Problem(fault, ref, reason="SecretInvalid", remedy=remedy))
