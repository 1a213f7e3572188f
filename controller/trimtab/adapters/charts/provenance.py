"""Checks the provenance of charts on their way into the store: before an archive is unpacked, and before it is kept.

The text of a provenance and the keys that count flow in, a `Signed` or `NotVerified` flows out; chart repositories and
registries make one for each download.
"""

from dataclasses import dataclass
from pathlib import Path

from trimtab.adapters.artifacts.archive import Listing
from trimtab.adapters.artifacts.store import Fill
from trimtab.reconcile.ports.verifier import TextVerifier
from trimtab.source.provenance import Provenance, check_archive, check_chart, check_clear_signed, read_provenance
from trimtab.source.trusted_keys import TrustedKeys


@dataclass(frozen=True, slots=True)
class Signed:
    """A provenance by somebody trusted. `by` says who, for people."""

    provenance: Provenance
    by: str

    def check(self, digest: str, *, name: str, version: str = "") -> None:
        """Whether an archive of this digest, asked for so, is the one signed. Raises NotVerified."""
        check_archive(self.provenance, digest, name=name, version=version)

    def around(self, fill: Fill) -> Fill:
        """The filling of a folder with the archive's files, refused where these are another chart."""

        def filled(target: Path) -> Listing:
            listing = fill(target)
            check_chart(self.provenance, (target / "Chart.yaml").read_bytes())
            return listing

        return filled


async def signed(text: bytes, keys: TrustedKeys, verifier: TextVerifier) -> Signed:
    """Read a provenance that one of the keys has signed. Raises NotVerified, SourceError."""
    payload, signer = await verifier.opened(check_clear_signed(text), keys)
    return Signed(read_provenance(payload), str(signer))
