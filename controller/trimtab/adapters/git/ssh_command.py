"""The one way in which git may run ssh: a fixed command line that reads no configuration and knows one key.

Paths of a key and of known hosts flow in, the text for GIT_SSH_COMMAND flows out; `remote` calls it. Nothing on it is
secret, and of what users wrote only the host stands there, checked.
"""

import shlex
from typing import Final

from trimtab.adapters.git.environment import STALL_SECONDS
from trimtab.source.ssh_keys import host_alias
from trimtab.source.url import Place

_FIXED: Final = (
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "GlobalKnownHostsFile=none",
    "UpdateHostKeys=no",
    "VerifyHostKeyDNS=no",
    "CheckHostIP=no",
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "PreferredAuthentications=publickey",
    "PubkeyAuthentication=yes",
    "PasswordAuthentication=no",
    "KbdInteractiveAuthentication=no",
    "GSSAPIAuthentication=no",
    "HostbasedAuthentication=no",
    "ForwardAgent=no",
    "ForwardX11=no",
    "ClearAllForwardings=yes",
    "PermitLocalCommand=no",
    "CanonicalizeHostname=no",
    "ControlMaster=no",
    "ControlPath=none",
    "RequestTTY=no",
    "EscapeChar=none",
    "NumberOfPasswordPrompts=0",
    "ConnectionAttempts=1",
    f"ConnectTimeout={STALL_SECONDS}",
    "ServerAliveInterval=10",
    "ServerAliveCountMax=3",
)


def ssh_command(
    place: Place,
    *,
    identity: str,
    known_hosts: str,
    address: str = "",
    proxy_command: str = "",
    verbose: bool = False,
) -> str:
    """The command, to which git adds port, host and what to run there.

    With an `address`, ssh connects to it while it checks the host key of the name.
    """
    options = [
        *_FIXED,
        f"UserKnownHostsFile={known_hosts}",
        f"IdentityFile={identity}",
        f"User={place.user}",
        # The name in known_hosts' own spelling, so that neither address nor proxy changes which key is wanted.
        f"HostKeyAlias={host_alias(place.host, place.port)}",
        f"LogLevel={'DEBUG1' if verbose else 'INFO'}",
        f"ProxyCommand={proxy_command.replace('%', '%%') or 'none'}",
    ]
    if address:
        options.append(f"HostName={address.replace('%', '%%')}")
    return shlex.join(["ssh", "-F", "none", *(word for option in options for word in ("-o", option))])
