"""Credentials of repositories: made of their Secrets once, and again only when told that they may have changed.

What the keys mean is `source.secret_keys`' to say.
"""

from dataclasses import replace

from trimtab.api.git_repository import GitProvider, GitRepository
from trimtab.core.errors import Problem, SourceError
from trimtab.core.refs import ObjectRef
from trimtab.reconcile.ports import GitCredentials
from trimtab.reconcile.queue import Key
from trimtab.reconcile.referred_secrets import ReferredSecrets, secret_ref, texts
from trimtab.source.secret_keys import credentials_of, proxy_of

_Names = tuple[str, str, str, str]


class CredentialCache:
    """Repository key → credentials of its secretRef, with the proxy of its proxySecretRef."""

    def __init__(self, secrets: ReferredSecrets) -> None:
        self._secrets = secrets
        self._known: dict[Key, tuple[_Names, GitCredentials]] = {}

    def forget(self, key: Key) -> None:
        """Have the Secrets read again the next time (the spec changed, somebody poked, or the server refused)."""
        self._known.pop(key, None)
        self._secrets.forget(key)

    async def get(self, key: Key, repository: GitRepository) -> GitCredentials | None:
        """The credentials, None where no Secret is named. Raises SourceError where one is absent or malformed."""
        spec = repository.spec
        name = spec.secret_ref.name if spec.secret_ref else ""
        proxy_name = spec.proxy_secret_ref.name if spec.proxy_secret_ref else ""
        if spec.provider is GitProvider.GITHUB and not name:
            raise SourceError(_no_app(None))
        if not name and not proxy_name:
            return None
        names = (name, proxy_name, spec.url, spec.provider)
        known = self._known.get(key)
        if known and known[0] == names:
            return known[1]
        credentials = GitCredentials()
        if name:
            ref, found = await self._read(key, name, field="secretRef", remedy=_CREATE)
            credentials = credentials_of(ref, found, spec.url)
            if spec.provider is GitProvider.GITHUB and credentials.github_app is None:
                raise SourceError(_no_app(ref))
        if proxy_name:
            ref, found = await self._read(key, proxy_name, field="proxySecretRef", remedy=_CREATE_PROXY)
            credentials = replace(credentials, proxy=proxy_of(ref, found))
        self._known[key] = (names, credentials)
        return credentials

    async def _read(self, key: Key, name: str, *, field: str, remedy: str) -> tuple[ObjectRef, dict[str, str]]:
        ref = secret_ref(key, name)
        return ref, texts(ref, await self._secrets.get(key, name, field=field, remedy=remedy))


_CREATE = "create it with username and password, bearerToken, identity and known_hosts, a GitHub App, or ca.crt"
_CREATE_PROXY = "create it with address, and username and password where the proxy wants them"


def _no_app(ref: ObjectRef | None) -> Problem:
    return Problem(
        "provider github needs a Secret with a GitHub App",
        ref,
        reason="SecretInvalid",
        remedy="name one with githubAppID, githubAppInstallationID and githubAppPrivateKey in secretRef",
    )
