"""Where the API server is and who we are to it.

A kubeconfig context or the pod's service account flows in, through the `kubernetes` package; an `Access` flows out:
address, HTTP session, and an authorization header that renews itself. Wiring and the CLI call `open_access`.
"""

import logging
import os
from asyncio import sslproto
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.request import getproxies, proxy_bypass

import aiohttp

from trimtab import __version__
from trimtab.core.errors import Problem, TrimtabError
from trimtab.core.names import FIELD_MANAGER

log = logging.getLogger(__name__)

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
KEEP_ALIVE_SECONDS: Final = 55.0
"""Idle connections are ours to close: common load balancers drop them after 60 s, the API server after 90 s."""

TLS_READ_BYTES: Final = 32 * 1024
"""Two TLS records. asyncio clears 256 KiB for each connection: 18 MB for 30 watches and 48 requests in flight."""


class AccessError(TrimtabError):
    """No usable way to the cluster is configured."""


@dataclass(frozen=True, slots=True)
class Access:
    """A way to one API server; `repr` shows no credential."""

    host: str
    """Root URL without a trailing slash."""
    namespace: str
    """The namespace that the context or the pod itself stands in."""
    authorization: Callable[[], Awaitable[str | None]]
    """The Authorization header's value as of now, None with client certificates."""
    renew: Callable[[], Awaitable[None]]
    """Read the credentials again, after a 401."""
    open_session: Callable[[], aiohttp.ClientSession]
    """A new session (connection pool); the caller closes it."""
    server_hostname: str | None = None
    """The name to check the server's certificate against, where it is not that of `host`."""


async def open_access(
    *,
    kubeconfig: str | None = None,
    context: str | None = None,
    allow_plugins: bool = False,
    agent: str = FIELD_MANAGER,
) -> Access:
    """Read a kubeconfig, or the pod's service account, into an `Access`.

    `kubeconfig` is a path or several joined by `:`; None means the user's default one and, where there is none, the
    service account. `allow_plugins` lets a kubeconfig run its credential plugin: right only for the user's own file.
    `agent` is the program's name in the User-Agent header. Raises AccessError.
    """
    from kubernetes.aio.client import Configuration

    configuration = Configuration()
    path = kubeconfig or _default_kubeconfig()
    if path is None and context is None and (SERVICE_ACCOUNT / "token").is_file():

        async def read_again() -> None:
            _load_service_account(configuration)

        _load_service_account(configuration)
        return _access(configuration, _pod_namespace(), read_again, agent)
    if path is None:
        raise AccessError(
            Problem("no cluster is configured", remedy="pass --kubeconfig, or create one with `trimtab cluster up`")
        )

    async def load_again() -> None:
        await _load_kubeconfig(path, context, configuration, allow_plugins=allow_plugins)
        _drop_key_files()

    loader = await _load_kubeconfig(path, context, configuration, allow_plugins=allow_plugins)
    return _access(configuration, loader.current_context["context"].get("namespace") or "default", load_again, agent)


def _default_kubeconfig() -> str | None:
    """The user's own kubeconfig, as kubectl finds it; None where there is none."""
    if os.environ.get("KUBECONFIG"):
        return os.environ["KUBECONFIG"]
    path = Path("~/.kube/config").expanduser()
    return str(path) if path.is_file() else None


def _exists(path: str) -> bool:
    """Whether any of the files joined by `:` is there."""
    return any(Path(part).expanduser().is_file() for part in path.split(os.pathsep) if part)


def _pod_namespace() -> str:
    path = SERVICE_ACCOUNT / "namespace"
    return path.read_text().strip() if path.is_file() else "default"


def _load_service_account(configuration: Any) -> None:
    """Read the pod's service account into the library's Configuration, which has the token read again each minute."""
    from kubernetes.aio import config as kubeconfigs

    try:
        kubeconfigs.load_incluster_config(client_configuration=configuration)
    except kubeconfigs.ConfigException as error:
        raise AccessError(Problem(f"the pod's service account is of no use: {error}")) from error


def _drop_key_files() -> None:
    """Delete the files that the library wrote inline keys to, for OpenSSL to read; a crash would leave them behind."""
    from kubernetes.aio.config import kube_config

    kube_config._cleanup_temp_files()


async def _load_kubeconfig(path: str, context: str | None, configuration: Any, *, allow_plugins: bool) -> Any:
    """Read a kubeconfig into the library's Configuration; returns the library's loader. Raises AccessError."""
    import yaml
    from kubernetes.aio.config import ConfigException
    from kubernetes.aio.config.kube_config import KubeConfigLoader, KubeConfigMerger

    if not _exists(path):
        raise AccessError(Problem(f"kubeconfig {path} does not exist"))
    try:
        merged = KubeConfigMerger(path).config
        loader = KubeConfigLoader(config_dict=merged, active_context=context or None, config_base_path=None)
        _check_plugins(loader, path, allow_plugins=allow_plugins)
        await loader.load_and_set(configuration)
    except (ConfigException, yaml.YAMLError, KeyError, TypeError, AttributeError, OSError, ValueError) as error:
        # The text of a YAML error quotes the file, which may hold keys.
        text = str(error) if isinstance(error, ConfigException | OSError) else type(error).__name__
        raise AccessError(Problem(f"kubeconfig {path} is of no use: {text}")) from None
    user = _user(loader)
    if "exec" in user and not (configuration.api_key or configuration.cert_file):
        raise AccessError(Problem(f"the credential plugin of kubeconfig {path} gave nothing", retry=True))
    if "exec" in user and "BearerToken" in configuration.api_key:
        configuration.refresh_api_key_hook = _plugin_hook(loader)
    return loader


def _user(loader: Any) -> dict[str, Any]:
    """The context's user as the kubeconfig has it; empty where it names none."""
    node = loader._user
    return getattr(node, "value", node) or {}


def _check_plugins(loader: Any, path: str, *, allow_plugins: bool) -> None:
    """A kubeconfig that came from anywhere but the user's own home must not start programs."""
    plugin = next((key for key in ("exec", "auth-provider") if key in _user(loader)), None)
    if plugin and not allow_plugins:
        raise AccessError(
            Problem(
                f"kubeconfig {path} wants to run a credential plugin ({plugin})", remedy="use a token or certificate"
            )
        )


def _plugin_hook(loader: Any) -> Callable[[Any], Awaitable[None]]:
    """Have the plugin asked again when its token is about to expire (the library knows when)."""

    async def refresh(configuration: Any) -> None:
        if hasattr(loader, "exec_plugin_expiry"):
            await loader.load_from_exec_plugin()
            configuration.api_key["BearerToken"] = loader.token

    return refresh


def _access(configuration: Any, namespace: str, renew: Callable[[], Awaitable[None]], agent: str) -> Access:
    """Bind a loaded Configuration; the library's own key files are gone when this returns."""
    from kubernetes.aio.client import rest

    class Sessions(rest.RESTClientObject):  # type: ignore[misc]
        """The library's TLS and pool, with our limits: the library foresees overriding these two methods."""

        def _create_connector(self) -> aiohttp.TCPConnector:
            return aiohttp.TCPConnector(limit=0, ssl=self.ssl_context, keepalive_timeout=KEEP_ALIVE_SECONDS)

        def open(self) -> aiohttp.ClientSession:
            sslproto.SSLProtocol.max_size = TLS_READ_BYTES
            session: aiohttp.ClientSession = self._create_pool_manager()
            return session

    proxy = configuration.proxy or _environment_proxy(configuration.host)
    configuration.client_session_kwargs = {
        # The library would look up proxies and ~/.netrc in a thread for each request: looked up once, above.
        "trust_env": False,
        "proxy": proxy,
        "cookie_jar": aiohttp.DummyCookieJar(),
        "headers": {"User-Agent": f"{agent}/{__version__}", "Accept-Encoding": "identity"},
        "read_bufsize": 2**18,
    }
    try:
        sessions = Sessions(configuration)
    except OSError as error:
        raise AccessError(Problem(f"the credentials for {configuration.host} are of no use: {error}")) from error
    _drop_key_files()

    async def authorization() -> str | None:
        value: str | None = await configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
        return value

    return Access(
        host=configuration.host.rstrip("/"),
        namespace=namespace,
        authorization=authorization,
        renew=renew,
        open_session=sessions.open,
        server_hostname=configuration.tls_server_name,
    )


def _environment_proxy(host: str) -> str | None:
    """The proxy that HTTPS_PROXY and NO_PROXY prescribe for this address."""
    scheme, _, rest = host.partition("://")
    authority = rest.partition("/")[0]
    return None if proxy_bypass(authority) else getproxies().get(scheme)
