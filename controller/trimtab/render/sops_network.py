"""Whether sops gets a network for a file: files come from Git, and name the servers that sops would talk to.

What a file wants and the keys at hand flow in, a `Network` flows out; sops is run by it.
"""

import re
from dataclasses import dataclass
from typing import Final

from trimtab.render.decryption_keys import SERVICES, DecryptionKeys
from trimtab.render.sops_files import Wanted

_ARN: Final = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]+:(?:key|alias)/[A-Za-z0-9:/_+=,.@-]+")
_AZURE: Final = re.compile(
    r"https://[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:vault|managedhsm)\."
    r"(?:azure\.net|azure\.cn|usgovcloudapi\.net|microsoftazure\.de)(?::443)?/?",
    re.IGNORECASE,
)

_REMEDIES: Final = {
    "azure_kv": "name the vault as sops.azure-kv-address of the Secret, where it is yours",
    "kms": "encrypt it with a key of AWS, named by its ARN",
}


@dataclass(frozen=True, slots=True)
class Network:
    """`open` says whether there is one; `barred` why not, where the keys alone would have called for it."""

    open: bool = False
    barred: str = ""
    remedy: str = ""


def network_for(wanted: Wanted, keys: DecryptionKeys) -> Network:
    """A network only where credentials are at hand for every service that the file names, at servers of that service.

    sops asks all of them in turn, so that one with credentials would open the way to any server named for another.
    """
    if not keys.services or not (wanted.services or wanted.unclear):
        return Network()
    if wanted.unclear:
        return Network(barred="its metadata is not as sops writes it", remedy="encrypt it anew with sops")
    if not wanted.services.keys() & keys.services.keys():
        return Network()
    for service, names in wanted.services.items():
        if service not in keys.services:
            entry = next((entry for entry, one in SERVICES.items() if one == service), "")
            remedy = f"add {entry} to the Secret, or encrypt it without {service}" if entry else "encrypt it without it"
            return Network(barred=f"it also names {service}, for which there are no credentials", remedy=remedy)
        for name in names:
            if not _known(service, name, keys):
                return Network(barred=f"it names a server that is none of {service}: {name}", remedy=_REMEDIES[service])
    return Network(open=True)


def _known(service: str, name: str, keys: DecryptionKeys) -> bool:
    match service:
        case "azure_kv":
            return bool(_AZURE.fullmatch(name)) or name.rstrip("/") in keys.azure_addresses
        case "kms":
            return bool(_ARN.fullmatch(name.partition("+arn:")[0]))
        case _:
            # sops itself holds Vault to its list, and gcp_kms names keys only.
            return True
