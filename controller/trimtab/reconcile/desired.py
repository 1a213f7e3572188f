"""What a commit declares for an Application: rendered where something changed, taken from memory where nothing did.

The Application's reconciler asks; mirrors and renderer are asked in turn. The key of a desired state is made of the
tree SHAs of everything that the last rendering read, so a commit elsewhere in the repository costs a few look-ups.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from math import inf
from typing import Any

from trimtab.api.application import Application
from trimtab.core.errors import TrimtabError
from trimtab.core.manifest import Manifest, Origin
from trimtab.core.names import PRUNE_ANNOTATION
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef, ResourceType, split_api_version
from trimtab.core.revision import Revision
from trimtab.plan.normalise import declared_digest, normalise
from trimtab.plan.ownership import mark
from trimtab.reconcile.artifacts import Artifact
from trimtab.reconcile.desk import APPLICATION
from trimtab.reconcile.fetches import StillFetching
from trimtab.reconcile.git_tree import GitTree
from trimtab.reconcile.inputs import InputStore
from trimtab.reconcile.last_rendering import Attempt, LastRendering, digests, trees_of
from trimtab.reconcile.parallel import gather_bounded
from trimtab.reconcile.ports import ClusterCapabilities, Folder, Objects, Rendered, Renderer, RenderJob, SourceTree
from trimtab.reconcile.queue import Key
from trimtab.reconcile.remote_bases import BasesOfJob, RemoteBases
from trimtab.reconcile.state import AppState, Desired
from trimtab.render.identity import render_key, render_spec
from trimtab.render.inputs import Capabilities, wanted_inputs
from trimtab.render.qualify import Qualified, qualify, unserved
from trimtab.render.remote_places import file_names

SLICE_OBJECTS = 8
"""So many objects are made ready in one go; then everybody else has a turn. Large ones take 50 ms each."""


async def _in_silence() -> None:
    """Nobody is told."""


class DesiredStates:
    """Desired states of all Applications."""

    def __init__(
        self,
        *,
        renderer: Renderer,
        objects: Objects,
        inputs: InputStore,
        instance: str,
        key: bytes,
        capabilities: ClusterCapabilities | None = None,
        bases: RemoteBases | None = None,
        slots: int = 2,
    ) -> None:
        """`bases` None: there are no remote bases."""
        self._renderer = renderer
        self._objects = objects
        self._inputs = inputs
        self._capabilities = capabilities
        self._bases = bases
        self._poked: dict[str, tuple[str, float]] = {}
        self._instance = instance
        self._key = key
        self._known: dict[str, LastRendering] = {}
        self._failed: dict[str, tuple[Attempt, TrimtabError]] = {}
        # Rendering is CPU-bound: more at a time would only take turns and memory.
        self._slots = asyncio.Semaphore(slots)

    async def get(
        self,
        application: Application,
        artifact: Artifact,
        state: AppState,
        *,
        others: Mapping[str, SourceTree] | None = None,
        again: bool = False,
        announce: Callable[[], Awaitable[None]] = _in_silence,
    ) -> Desired:
        """The desired state at an artifact. Raises RenderError or SourceError with all that is wrong, StillFetching
        where something that it needs is on its way.

        `others` are the further sources. `again`: what did not work the last time, with the same input, is tried once
        more instead of being said again. `announce` is called when something is rendered, and awaited beside it.
        """
        metadata = application.metadata
        bases = self._bases_of(application, artifact, state)
        job = await self._job(application, artifact, others or {}, bases)
        sources = tuple((name, tree.identity, tree.revision) for name, tree in sorted(job.trees().items()))
        seen = (job.inputs.digest, job.inputs.capabilities.digest)
        attempt = (sources, artifact.terms, *seen, metadata.generation, metadata.requested_at)
        failed = self._failed.get(state.owner.uid)
        if failed is not None and failed[0] == attempt and not again:
            raise failed[1]
        try:
            at_hand = await self._at_hand(artifact, state, job, bases, attempt, again=again)
            if at_hand is None:
                making = partial(self._make, application, artifact, state, job, bases, attempt)
                at_once: list[Callable[[], Awaitable[None]]] = [making, announce]
                await gather_bounded(at_once, len(at_once))
            else:
                state.desired = at_hand
        except StillFetching:
            # What comes next is not what failed.
            self._failed.pop(state.owner.uid, None)
            raise
        except TrimtabError as error:
            self._failed[state.owner.uid] = (attempt, error)
            state.trees = named_trees(job, bases)
            raise
        self._failed.pop(state.owner.uid, None)
        assert state.desired is not None
        return state.desired

    async def _at_hand(
        self,
        artifact: Artifact,
        state: AppState,
        job: RenderJob,
        bases: BasesOfJob | None,
        attempt: Attempt,
        *,
        again: bool,
    ) -> Desired | None:
        """What was rendered last, where the same would come of it again. Raises SourceError for remote bases."""
        uid = state.owner.uid
        known, current = self._known.get(uid), state.desired
        if known is None or current is None or (current.problems and again):
            return None
        # Most turns heal or tell: they ask Git nothing.
        if known.attempt == attempt and not await known.moved(current.bases, bases):
            return current
        trees = await trees_of(job, known.bases)
        folders = await digests(trees, known.folders) if trees is not None else None
        if folders is None or self._key_of(job, folders, known) != known.key:
            return None
        self._known[uid] = replace(known, attempt=attempt, equals=frozenset())
        state.trees = named_trees(job, bases)
        return replace(current, revision=artifact.revision, **_followed(bases))

    async def _make(
        self,
        application: Application,
        artifact: Artifact,
        state: AppState,
        job: RenderJob,
        bases: BasesOfJob | None,
        attempt: Attempt,
    ) -> None:
        """Render it: `state.desired` and what is known of it afterwards change together. Raises as `get`."""
        async with self._slots:
            rendered = await self._renderer.render(job)
        trees = await trees_of(job, rendered.bases)
        folders = await digests(trees, rendered.folders) if trees is not None else None
        key = self._key_of(job, folders, rendered) if folders is not None else ""
        desired = await self._mark(application, artifact, rendered, key, state)
        self._known[state.owner.uid] = LastRendering(
            attempt, key, folders or {}, rendered.reads_capabilities, rendered.bases
        )
        state.trees = named_trees(job, bases)
        state.desired = replace(desired, **_followed(bases))

    async def recall(self, application: Application, artifact: Artifact, state: AppState) -> Desired | None:
        """What the revision applied last declared, after a restart; None where its commit is no longer at hand.

        Remote bases are taken as the status says that they were. Only needed to tell which fields a newer revision
        drops, and to heal while there is none, so its absence is no failure. Raises StillFetching.
        """
        try:
            revision = Revision.parse(state.applied)
            old = artifact
            if revision != artifact.revision:
                if not isinstance(artifact.tree, GitTree):
                    return None
                old = replace(artifact, revision=revision, tree=await artifact.tree.at(revision.sha))
            told = {each.url: each.revision for each in application.status.remote_bases or ()}
            bases = self._bases.of(_key(application), artifact.bases, pinned=told) if self._bases else None
            job = await self._job(application, old, {}, bases)
            async with self._slots:
                rendered = await self._renderer.render(job)
            return await self._mark(application, old, rendered, "", state)
        except StillFetching:
            raise
        except (ValueError, TrimtabError):
            return None

    def _bases_of(self, application: Application, artifact: Artifact, state: AppState) -> BasesOfJob | None:
        """Who asks for a reconciliation wants to know of each base where it stands now; a commit waits for none."""
        if self._bases is None:
            return None
        uid, poke = state.owner.uid, application.metadata.requested_at
        if uid not in self._poked:
            self._poked[uid] = (poke, -inf)
        elif self._poked[uid][0] != poke:
            self._poked[uid] = (poke, self._bases.clock.monotonic())
        news = state.desired is None or state.desired.revision != artifact.revision
        return self._bases.of(_key(application), artifact.bases, asked_at=-inf if news else self._poked[uid][1])

    async def unconcerned(self, tree: SourceTree, readers: Mapping[str, Collection[str]]) -> frozenset[str]:
        """The Applications (UID → what they call the source) to which `tree` means what they rendered last.

        One look answers for all. Raises SourceError.
        """
        known = {uid: each for uid in readers if (each := self._comparable(uid)) is not None}
        read = [(uid, name, folder) for uid, each in known.items() for name, folder in each.folders]
        await tree.look_up({folder for uid, name, folder in read if name in readers[uid]})
        found = [uid for uid, each in known.items() if await each.means_the_same(tree, readers[uid])]
        for uid in found:
            if self._known.get(uid) is known[uid]:
                newest = {name: (name, tree.identity, tree.revision) for name in readers[uid]}
                kept = {each[0]: each for each in known[uid].equals} | newest
                self._known[uid] = replace(known[uid], equals=frozenset(kept.values()))
        return frozenset(found)

    def _comparable(self, uid: str) -> LastRendering | None:
        """The last rendering, unless another failed since, or the digests of its folders were not to be had."""
        known = self._known.get(uid)
        return known if known is not None and known.key and uid not in self._failed else None

    def covers(self, uid: str, trees: Mapping[str, SourceTree]) -> bool:
        """Whether the sources are known to mean what an Application rendered last."""
        known = self._known.get(uid)
        if known is None:
            return False
        sources, *_ = known.attempt
        return {(name, tree.identity, tree.revision) for name, tree in trees.items()} <= {*sources, *known.equals}

    def outdated(self, key: Key) -> bool:
        """Whether what an Application's last desired state was made of has changed in the cluster."""
        return self._inputs.outdated(key)

    def forget(self, key: Key, uid: str) -> None:
        """The Application is gone."""
        self._inputs.forget(key)
        self._known.pop(uid, None)
        self._failed.pop(uid, None)
        self._poked.pop(uid, None)

    async def _job(
        self,
        application: Application,
        artifact: Artifact,
        others: Mapping[str, SourceTree],
        bases: BasesOfJob | None,
    ) -> RenderJob:
        metadata = application.metadata
        inputs = await self._inputs.get(_key(application), wanted_inputs(application.spec))
        capabilities = await self._capabilities.look() if self._capabilities else Capabilities()
        return RenderJob(
            spec=application.spec,
            tree=artifact.tree,
            others=others,
            name=metadata.name,
            namespace=metadata.namespace,
            inputs=replace(inputs, capabilities=capabilities),
            bases=bases,
            verified=artifact.verified,
        )

    def _key_of(self, job: RenderJob, folders: Mapping[Folder, str], of: Rendered | LastRendering) -> str:
        """The key of a rendering that read these folders, and what else `of` says that it read."""
        trees = {f"{name}:{folder}": digest for (name, folder), digest in folders.items()}
        spec = render_spec(job.spec) | {"identity": {name: tree.identity for name, tree in job.trees().items()}}
        if of.bases and job.bases is not None:
            spec["remoteBases"] = list(job.bases.prefixes)
        if job.verified:
            spec["verified"] = True
        inputs = job.inputs.digest + (f"/{job.inputs.capabilities.digest}" if of.reads_capabilities else "")
        return render_key(trees=trees, spec=spec, inputs=inputs, tools=self._renderer.tools)

    async def _mark(
        self, application: Application, artifact: Artifact, rendered: Rendered, key: str, state: AppState
    ) -> Desired:
        served = await self._served(rendered.manifests)
        qualified = self._qualify(application, rendered, served)
        manifests: dict[ObjectRef, Manifest] = {}
        digests: dict[ObjectRef, str] = {}
        for number, each in enumerate((*self._namespace(application, qualified), *qualified.manifests)):
            if number % SLICE_OBJECTS == 0:
                await asyncio.sleep(0)
            normal = replace(each, body=normalise(each.body))
            manifests[each.ref] = mark(normal, instance=self._instance, bucket=state.bucket, owner=state.owner)
            digests[each.ref] = declared_digest(self._key, manifests[each.ref].body)
        return Desired(
            key=key,
            revision=artifact.revision,
            manifests=manifests,
            digests=digests,
            kinds=frozenset(kind for kind in served.values() if kind is not None),
            problems=tuple(unserved(qualified.unresolved)),
            hooks=rendered.hooks,
        )

    async def _served(self, manifests: tuple[Manifest, ...]) -> dict[tuple[str, str, str], ResourceType | None]:
        names = sorted({(*split_api_version(manifest.api_version), manifest.ref.kind) for manifest in manifests})
        # At once, so that all kinds that are not known yet share one look at discovery.
        served = await gather_bounded([partial(self._objects.served, *name) for name in names], len(names) or 1)
        return dict(zip(names, served, strict=True))

    @staticmethod
    def _qualify(
        application: Application,
        rendered: Rendered,
        served: Mapping[tuple[str, str, str], ResourceType | None],
    ) -> Qualified:
        def namespaced(group: str, version: str, kind: str) -> bool | None:
            found = served.get((group, version, kind))
            return None if found is None else found.namespaced

        target = application.spec.target_namespace or ""
        return qualify(
            rendered.manifests,
            target_namespace="" if rendered.keeps_namespaces else target,
            default_namespace=(target if rendered.keeps_namespaces else "") or application.metadata.namespace,
            namespaced=namespaced,
        )

    @staticmethod
    def _namespace(application: Application, qualified: Qualified) -> list[Manifest]:
        """The namespace that createNamespace asks for, unless Git declares it itself.

        Marked to stay: when another one is asked for, everybody else's objects in this one must not go with it.
        """
        name = application.spec.target_namespace
        if not application.spec.create_namespace or not name:
            return []
        ref = ObjectRef(LOCAL_CLUSTER, "", "Namespace", "", name)
        if any(manifest.ref == ref for manifest in qualified.manifests):
            return []
        metadata = {"name": name, "annotations": {PRUNE_ANNOTATION: "disabled"}}
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        return [Manifest(ref, "v1", body, Origin("spec.targetNamespace"))]


def _key(application: Application) -> Key:
    return Key(APPLICATION, application.metadata.namespace, application.metadata.name)


def _followed(bases: BasesOfJob | None) -> dict[str, Any]:
    """What a desired state says of the remote bases that it was made of."""
    if bases is None or not bases.given:
        return {}
    seconds = bases.rules.interval_seconds
    revisions = {name: at_hand.revision for name, (_, at_hand) in bases.given.items()}
    return {"bases": revisions, "follow_seconds": seconds if bases.moving and seconds < inf else None}


def named_trees(job: RenderJob, bases: BasesOfJob | None) -> dict[str, SourceTree]:
    """All that a rendering is made of, by the beginning of the names that files have in its problems."""
    found = {f"${name}/" if name else "": tree for name, tree in job.trees().items()}
    for base, at_hand in bases.given.values() if bases else ():
        found[file_names(base, at_hand.revision)] = at_hand.tree
    return found
