"""The environment of every git process: nothing inherited, nothing configured from outside, no way to other protocols.

A search path and, for the network, URL and credentials flow in; variables flow out. Credentials travel in variables
of the one git command that needs them: never in its arguments, in an URL or in a file.
"""

import base64
from collections.abc import Sequence
from typing import Final

_Setting = tuple[str, str]

# Faults that old, honest repositories are known to hold and that no reader of ours minds. All others refuse the pack.
_TOLERATED: Final = (
    "badTimezone",
    "missingSpaceBeforeDate",
    "missingSpaceBeforeEmail",
    "zeroPaddedDate",
    "zeroPaddedFilemode",
    "badDateOverflow",
    "missingTaggerEntry",
    "gitmodulesMissing",
)

_SETTINGS: Final[tuple[_Setting, ...]] = (
    ("core.hooksPath", "/dev/null"),
    ("core.symlinks", "false"),
    ("core.fsmonitor", "false"),
    ("core.askPass", ""),
    ("credential.helper", ""),
    ("protocol.version", "2"),
    ("http.followRedirects", "false"),
    ("transfer.credentialsInUrl", "die"),
    ("transfer.bundleURI", "false"),
    ("fetch.fsckObjects", "true"),
    *((f"{section}.{fault}", "ignore") for fault in _TOLERATED for section in ("fetch.fsck", "fsck")),
    ("fetch.recurseSubmodules", "false"),
    ("fetch.writeCommitGraph", "false"),
    ("submodule.recurse", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    # One thread and small windows: packing must fit beside the controller, not be fast.
    ("pack.threads", "1"),
    ("pack.windowMemory", "32m"),
    ("pack.deltaCacheSize", "8m"),
    ("core.packedGitLimit", "128m"),
    # Larger ones are streamed: a few packed bytes may unfold to a blob of any size.
    ("core.bigFileThreshold", "16m"),
    ("core.deltaBaseCacheLimit", "16m"),
)

STALL_SECONDS: Final = 30
"""Without a single byte for so long, a transfer counts as stalled; slow ones are bounded by the caller's deadline."""


def local_environment(*, search_path: str, ceiling: str) -> dict[str, str]:
    """For commands on a mirror's own files: no transport is allowed at all.

    That also keeps gits before 2.45, which do not know GIT_NO_LAZY_FETCH, from fetching what is missing.
    """
    return {
        "PATH": search_path,
        "LC_ALL": "C",
        # Not merely unset: the HTTP library then asks the user database, and reads ~/.netrc.
        "HOME": "/dev/null",
        "XDG_CONFIG_HOME": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": ceiling,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_ALLOW_PROTOCOL": "none",
        **_numbered(_SETTINGS),
    }


def http_environment(
    *,
    authorization: str = "",
    ca_path: str = "",
    certificate_path: str = "",
    key_path: str = "",
    pins: Sequence[str] = (),
    proxy: str = "",
    proxy_ca_path: str = "",
) -> dict[str, str]:
    """What a command that talks to a server over http or https has beside `local_environment`.

    `authorization` goes out with the first request (asking twice would cost a round trip each time), and never to
    another host, since redirects are not followed. Paths are those of PEM files or empty; `pins` are
    `HOST:PORT:ADDRESS,…`, which stand in place of a look-up; `proxy` is an URL with its login.
    """
    settings: list[_Setting] = [
        *_SETTINGS,
        ("http.lowSpeedLimit", "1"),
        ("http.lowSpeedTime", str(STALL_SECONDS)),
        *(("http.curloptResolve", pin) for pin in pins),
    ]
    if authorization:
        settings.append(("http.extraHeader", f"Authorization: {authorization}"))
    if proxy:
        settings.append(("http.proxy", proxy))
        if "@" in proxy:
            # Else the login is sent only once the proxy has asked for it.
            settings.append(("http.proxyAuthMethod", "basic"))
        if proxy_ca_path:
            settings.append(("http.proxySSLCAInfo", proxy_ca_path))
    variables = {"GIT_ALLOW_PROTOCOL": "http:https", **_numbered(settings)}
    paths = {"GIT_SSL_CAINFO": ca_path, "GIT_SSL_CERT": certificate_path, "GIT_SSL_KEY": key_path}
    return variables | {name: path for name, path in paths.items() if path}


def ssh_environment(command: str) -> dict[str, str]:
    """What a command that talks to a server over SSH has beside `local_environment`; see `ssh_command`."""
    return {
        "GIT_ALLOW_PROTOCOL": "ssh",
        "GIT_SSH_COMMAND": command,
        # What git would guess by running the command once more.
        "GIT_SSH_VARIANT": "ssh",
        **_numbered(_SETTINGS),
    }


def basic_token(username: str, password: str) -> str:
    """User name and password as basic auth carries them; as secret as the password."""
    return base64.b64encode(f"{username}:{password}".encode()).decode()


def _numbered(settings: Sequence[_Setting]) -> dict[str, str]:
    variables = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings):
        variables[f"GIT_CONFIG_KEY_{number}"] = key
        variables[f"GIT_CONFIG_VALUE_{number}"] = value
    return variables
