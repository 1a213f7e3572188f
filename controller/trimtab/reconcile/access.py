"""What downloads show of us, made of the Secrets that a source names. The origins of OCI and chart sources ask."""

from trimtab.core.errors import Problem, SourceError
from trimtab.reconcile.ports.downloads import NO_ACCESS, Access
from trimtab.reconcile.queue import Key
from trimtab.reconcile.referred_secrets import Files, ReferredSecrets, secret_ref, texts
from trimtab.source.credentials import GitCredentials, check_credentials
from trimtab.source.proxy import Proxy, check_proxy
from trimtab.source.secret_keys import proxy_of

_DOCKER_CONFIG = ".dockerconfigjson"


class Accesses:
    """Key of a source → username, password, certificates and what else its Secrets hold for a server."""

    def __init__(self, secrets: ReferredSecrets) -> None:
        self._secrets = secrets

    def forget(self, key: Key) -> None:
        """Have the Secrets read again the next time (the spec changed, somebody poked, or something was refused)."""
        self._secrets.forget(key)

    async def get(
        self,
        key: Key,
        *,
        secret: str | None,
        certificates: str | None,
        proxy: str | None = None,
        pass_credentials: bool = False,
    ) -> Access:
        """What the Secrets of secretRef, certSecretRef and proxySecretRef hold. Raises SourceError where one is absent
        or malformed.
        """
        files = await self.files(key, secret, field="secretRef") if secret else {}
        pems = await self.files(key, certificates, field="certSecretRef") if certificates else {}
        through = await self._proxy(key, proxy) if proxy else None
        if not files and not pems and through is None:
            return NO_ACCESS
        username, password = _text(files, "username"), _text(files, "password")
        docker_config = files.get(_DOCKER_CONFIG, b"")
        if bool(username) != bool(password) or (files and not username and not docker_config):
            message = "the Secret of secretRef holds neither username and password nor .dockerconfigjson"
            remedy = "set both username and password, or make it by `kubectl create secret docker-registry`"
            raise SourceError(Problem(message, reason="SecretInvalid", remedy=remedy))
        ca_pem = _text(pems, "ca.crt")
        check_credentials("https://", GitCredentials(username=username, password=password, ca_pem=ca_pem))
        return Access(
            username=username,
            password=password,
            docker_config=docker_config,
            ca_pem=ca_pem,
            cert_pem=_text(pems, "tls.crt"),
            key_pem=_text(pems, "tls.key"),
            proxy=through,
            pass_credentials=pass_credentials,
        )

    async def _proxy(self, key: Key, name: str) -> Proxy:
        ref = secret_ref(key, name)
        found = proxy_of(ref, texts(ref, await self.files(key, name, field="proxySecretRef")))
        check_proxy(found)
        return found

    async def files(self, key: Key, name: str, *, field: str, anew: bool = False) -> Files:
        """The data of a Secret in the namespace of the source, named by `field`; `anew` asks the server whatever is
        known. Raises SourceError.
        """
        remedy = "create it, or correct the reference to it"
        return await self._secrets.get(key, name, field=field, remedy=remedy, anew=anew)


def _text(files: Files, name: str) -> str:
    try:
        return files.get(name, b"").decode()
    except UnicodeDecodeError:
        remedy = "store it as UTF-8 text"
        raise SourceError(Problem(f"{name} of the Secret is no text", reason="SecretInvalid", remedy=remedy)) from None
