"""sops, confined: encrypted text in by a pipe, plain text out by a pipe, keys in a folder in memory.

The decryption stage calls `decrypt` for each encrypted part. No network but for files that name only key services
whose credentials are at hand; PGP is done inside sops, so that no gpg and no agent is ever started.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from trimtab.adapters.process.runner import Opening, ProcessFailed, run
from trimtab.core.errors import Problem, RenderError
from trimtab.core.manifest import Origin
from trimtab.render.decryption_keys import DecryptionKeys
from trimtab.render.sops_files import Part, Wanted
from trimtab.render.sops_network import Network, network_for

VERSION: Final = "v3.13.3"
"""The version that the project is tested with."""
_WITH_NETWORK: Final = (Path("/etc/ssl"), Path("/etc/pki"), Path("/etc/resolv.conf"), Path("/etc/hosts"))
_NOT_TOLD: Final = "decryption failed"
_TAMPERED: Final = frozenset({24, 25, 51, 52})
_NO_KEY: Final = 128
_AWS: Final = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
_AZURE: Final = {"tenantId": "AZURE_TENANT_ID", "clientId": "AZURE_CLIENT_ID", "clientSecret": "AZURE_CLIENT_SECRET"}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one run may take."""

    timeout_seconds: float = 30.0
    output_bytes: int = 16 * 1024 * 1024
    memory_bytes: int = 1024 * 1024 * 1024


class Sops:
    """The sops program with keys laid out in `home`, a folder in memory that the caller removes."""

    def __init__(self, program: Path, keys: DecryptionKeys, home: Path, bounds: Bounds) -> None:
        self._program = program
        self._keys = keys
        self._home = home
        self._bounds = bounds
        self._environment = _lay_out(keys, home)

    async def decrypt(self, part: Part, file: str) -> bytes:
        """The plain text, its checksum verified. Raises RenderError, which shows nothing of what sops says."""
        assert part.wanted is not None
        network = network_for(part.wanted, self._keys)
        argv = [str(self._program), "--disable-version-check", "decrypt"]
        try:
            result = await run(
                [*argv, "--input-type", part.format, "--output-type", part.format],
                cwd=self._home,
                readable=[self._home, *(path for path in _WITH_NETWORK if network.open and path.exists())],
                timeout_seconds=self._bounds.timeout_seconds,
                output_limit_bytes=self._bounds.output_bytes,
                memory_limit_bytes=self._bounds.memory_bytes,
                environment=self._environment,
                stdin=part.text,
                opening=Opening(network=network.open),
            )
        except ProcessFailed as error:
            raise _refused(file, str(error), "encrypt less in one file") from error
        if result.code == 0:
            return result.stdout
        if result.code == _NO_KEY:
            raise _wrong_key(file, part.wanted, network)
        if result.code in _TAMPERED:
            message = "does not fit its checksum: it was changed after it was encrypted"
            raise _refused(file, message, "edit encrypted files with sops only, and encrypt it anew")
        raise _refused(file, f"{_NOT_TOLD}: sops ended with {result.code}", "check it with sops decrypt")


def _lay_out(keys: DecryptionKeys, home: Path) -> dict[str, str]:
    """Write the keys to files of their own, and tell sops where; whatever else it would look for is not there."""
    pgp_home = home / "gnupg"
    pgp_home.mkdir(mode=0o700)
    # sops reads such a ring by itself.
    (pgp_home / "secring.gpg").write_bytes(keys.pgp)
    environment = {"HOME": str(home), "GNUPGHOME": str(pgp_home), "SOPS_GPG_EXEC": "/nonexistent"}
    if keys.age:
        environment["SOPS_AGE_KEY_FILE"] = _file(home / "age.txt", keys.age)
    services = keys.services
    if "kms" in services:
        given = _mapping(services["kms"])
        lines = [f"{name} = {given[name]}" for name in _AWS if given.get(name)]
        text = "\n".join(["[default]", *lines, ""])
        environment["AWS_SHARED_CREDENTIALS_FILE"] = _file(home / "aws", text.encode())
        environment["AWS_EC2_METADATA_DISABLED"] = "true"
    if "gcp_kms" in services:
        environment["GOOGLE_APPLICATION_CREDENTIALS"] = _file(home / "gcp.json", services["gcp_kms"])
    if "azure_kv" in services:
        given = _mapping(services["azure_kv"])
        environment |= {variable: given[name] for name, variable in _AZURE.items() if given.get(name)}
        # Not those of the machine, where some of these are missing.
        environment |= {"AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential"}
    # Without a network, asking again is only slow.
    environment["VAULT_MAX_RETRIES"] = "2" if "hc_vault" in services else "0"
    # Left empty, it would allow all.
    environment["SOPS_HC_VAULT_ALLOWLIST"] = "none"
    if "hc_vault" in services:
        _file(home / ".vault-token", services["hc_vault"])
        environment["SOPS_HC_VAULT_ALLOWLIST"] = keys.vault_addresses or "none"
    return environment


def _file(path: Path, data: bytes) -> str:
    path.touch(mode=0o600)
    path.write_bytes(data)
    return str(path)


def _mapping(data: bytes) -> dict[str, str]:
    """Credentials as Flux' documentation writes them: a YAML or JSON mapping of texts."""
    try:
        found = yaml.safe_load(data)
    except yaml.YAMLError:
        found = None
    if not isinstance(found, dict):
        problem = Problem(
            "credentials of a key service in the Secret of decryption.secretRef are no mapping",
            remedy="write them as YAML",
            reason="DecryptionFailed",
        )
        raise RenderError(problem)
    return {str(name): " ".join(str(value).split()) for name, value in found.items()}


def _wrong_key(file: str, wanted: Wanted, network: Network) -> RenderError:
    message = f"cannot be decrypted with the keys of decryption.secretRef: it wants {wanted}"
    if network.barred:
        return _refused(file, f"{message}; no service was asked, for {network.barred}", network.remedy)
    if network.open:
        return _refused(file, message, "check that the service answers and the credentials may decrypt", retry=True)
    return _refused(file, message, "add such a key there")


def _refused(file: str, message: str, remedy: str, *, retry: bool = False) -> RenderError:
    problem = Problem(message, origin=Origin(file), remedy=remedy, reason="DecryptionFailed", retry=retry)
    return RenderError(problem)
