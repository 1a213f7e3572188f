"""Seals: by them the store knows the entries that it wrote itself from those that somebody else put into a shard.

An Applied entry says that an object of that UID is an Application's: prune deletes it on the strength of that. Whoever
may edit Inventories must not gain the controller's rights by it, so that such entries count only under a seal that
takes the installation's key to make. `shards` writes and checks them.
"""

import hmac
from dataclasses import dataclass, field

from trimtab.core.fields.path import canonical
from trimtab.core.inventory import Applied, Entry, Intended
from trimtab.core.refs import ObjectRef

_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class Sealer:
    """Makes and checks the seals of one Application's entries."""

    key: bytes = field(repr=False)
    uid: str
    """The Application's UID: an entry copied from another one's inventory bears no seal of this one."""

    def seal(self, ref: ObjectRef, entry: Applied) -> str:
        """Half an HMAC-SHA256 under the installation's key over all that the entry says, in hexadecimal digits."""
        content = canonical([self.uid, ref.key, entry.version, entry.uid, entry.baseline, entry.declared])
        return hmac.digest(self.key, content.encode(errors="surrogatepass"), "sha256").hex()[:_CHARACTERS]

    def trusted(self, ref: ObjectRef, entry: Entry, seal: str) -> Entry:
        """The entry; without its seal as Intended, so that the live object itself has to prove whose it is."""
        if isinstance(entry, Intended) or hmac.compare_digest(self.seal(ref, entry), seal):
            return entry
        return Intended(entry.version)
