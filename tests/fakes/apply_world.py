"""One Application on one simulated cluster: its inventory, its marks, its digests, and plans made of them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from tests.fakes.api_server import ApiServer

from trimtab.core.fields.managed import our_entry
from trimtab.core.fields.path import canonical, resolve
from trimtab.core.inventory import Applied, Entry
from trimtab.core.manifest import Manifest, Origin
from trimtab.core.observed import Live
from trimtab.core.refs import ObjectRef, split_api_version
from trimtab.plan.build import build, teardown
from trimtab.plan.changes import Plan
from trimtab.plan.options import PlanOptions
from trimtab.plan.ownership import Owner, bucket_of, mark, proven
from trimtab.plan.sight import Missing, Sight, sight_of

OWNER = Owner("trimtab-system", "shop", "app-uid-1")


def manifest_of(body: dict[str, Any], *, owner: Owner = OWNER, file: str = "shop.yaml") -> Manifest:
    """A marked manifest."""
    plain = Manifest(ObjectRef.of(body), body["apiVersion"], body, Origin(file, 1))
    return mark(plain, instance="test", bucket=bucket_of(owner.uid), owner=owner)


def declared_digest(manifest: Manifest) -> str:
    return sha256(canonical(manifest.body).encode()).hexdigest()


def baseline(body: dict[str, Any]) -> str:
    """What we own of an object, paths and scalar values."""
    entry = our_entry(body)
    paths = sorted(entry.paths) if entry else []
    owned = [(str(path), repr(resolve(body, path))) for path in paths]
    return sha256(repr(owned).encode()).hexdigest()


def entry_of(manifest: Manifest, body: dict[str, Any]) -> Applied:
    version = split_api_version(manifest.api_version)[1]
    return Applied(version, body["metadata"]["uid"], baseline(body), declared_digest(manifest))


class World:
    """What outlives a process: the cluster and the inventory."""

    def __init__(self, server: ApiServer | None = None) -> None:
        self.server = server or ApiServer()
        self.inventory: dict[ObjectRef, Entry] = {}
        self.options = PlanOptions(owner=OWNER, prune=True)

    def sight(self, ref: ObjectRef) -> Sight:
        """What the watches and GETs of a healthy controller tell."""
        live = self.server.get(ref)
        if not isinstance(live, Live):
            return Missing()
        return sight_of(live, OWNER, baseline=baseline(live.body))

    def plan(self, desired: Sequence[Manifest], **options: Any) -> Plan:
        """The plan for a revision."""
        digests = {manifest.ref: declared_digest(manifest) for manifest in desired}
        all_options = replace(self.options, declared_digests=digests, **options)
        return build(desired, self.inventory, self._sights(manifest.ref for manifest in desired), all_options)

    def teardown(self, **arguments: Any) -> Plan:
        """The plan for the Application's deletion."""
        return teardown(self.inventory, self._sights(()), self.options, **arguments)

    def strays(self) -> list[ObjectRef]:
        """Objects that are ours beyond doubt, but that no entry would lead a prune to: there must never be any."""
        found = []
        for ref, body in self.server.objects.items():
            entry = self.inventory.get(ref)
            lost = entry is None or (isinstance(entry, Applied) and entry.uid != body["metadata"]["uid"])
            if lost and proven(body, OWNER) and "deletionTimestamp" not in body["metadata"]:
                found.append(ref)
        return found

    def _sights(self, refs: Iterable[ObjectRef]) -> dict[ObjectRef, Sight]:
        return {ref: self.sight(ref) for ref in (*refs, *self.inventory)}
