"""Decryption: how files of an Application's source that are encrypted are read.

Application's spec holds it; `wanted_inputs` reads which Secret it needs, the renderer decrypts with it.
"""

from enum import StrEnum

from trimtab.api.model import ApiModel, LocalName


class DecryptionProvider(StrEnum):
    """What files are encrypted with."""

    SOPS = "sops"


class Decryption(ApiModel):
    """Manifests, patches, files of generators and values that SOPS has encrypted are decrypted before the build."""

    provider: DecryptionProvider
    """What files are encrypted with: sops."""
    secret_ref: LocalName
    """A Secret of this namespace with keys: age keys in entries that end with .agekey, armoured PGP keys without
    passphrase in entries that end with .asc, credentials of services in sops.aws-kms, sops.azure-kv, sops.gcp-kms and
    sops.vault-token, the latter with the addresses of the servers that may get it in sops.vault-address.
    """
