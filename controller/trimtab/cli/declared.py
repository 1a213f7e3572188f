"""What Git declares for an Application, found out here by the controller's own stages.

An Application and a revision, or a working copy, flow in; the desired state, the inventory and the plan's options flow
out. `diff`, `drift` and `get --errors` rehearse with them. Nothing is written to the cluster.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from pydantic import ValidationError

from trimtab.adapters.clock.system import SystemClock
from trimtab.adapters.git.mirrors import GitMirrors
from trimtab.adapters.git.working_copy import WorkingCopy
from trimtab.adapters.kube.capabilities import KubeCapabilities
from trimtab.adapters.kube.discovery import Discovery
from trimtab.adapters.process.decryption import Decryption
from trimtab.adapters.process.private_folder import memory_folder
from trimtab.adapters.process.renderer import KustomizeRenderer
from trimtab.api import inventory
from trimtab.api.application import Application
from trimtab.api.git_repository import GitRepository
from trimtab.api.inventory import Inventory
from trimtab.cli.downloads import Downloads, open_downloads
from trimtab.cli.programs import find_programs
from trimtab.cli.resources import REPOSITORY, Named, UsageError, as_repository, read
from trimtab.cli.session import Session
from trimtab.core.errors import SourceError
from trimtab.core.inventory import Entry, union
from trimtab.core.names import INSTANCE_NAME
from trimtab.core.observed import Live
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef
from trimtab.core.revision import Revision
from trimtab.plan.options import PlanOptions
from trimtab.plan.ownership import Owner
from trimtab.reconcile.artifacts import Artifact, Artifacts
from trimtab.reconcile.credentials import CredentialCache
from trimtab.reconcile.desired import DesiredStates
from trimtab.reconcile.desk import APPLICATION, GIT_REPOSITORY
from trimtab.reconcile.git_tree import GitTree
from trimtab.reconcile.grafted_tree import GraftedTree
from trimtab.reconcile.heritage import Heritage
from trimtab.reconcile.inputs import InputStore
from trimtab.reconcile.ports import Git
from trimtab.reconcile.queue import Key
from trimtab.reconcile.referred_secrets import ReferredSecrets
from trimtab.reconcile.remote_bases import RemoteBases, base_rules
from trimtab.reconcile.source_trees import SourceTrees
from trimtab.reconcile.sources import Bundle, Sources, source_keys
from trimtab.reconcile.state import AppState, Desired
from trimtab.source.addresses import ANYWHERE, AddressPolicy

_NO_KEY: Final = b""
"""The key of the controller's digests is a secret of its own; here nothing is compared by digest."""

_FROM_HERE: Final = AddressPolicy(("0.0.0.0/0", "::/0"))
"""Who runs a command reaches what their machine reaches; what the controller may reach is not known here."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A desired state, marked and normalised, what the Application owns, and what else goes into its plan."""

    desired: Desired
    owned: dict[ObjectRef, Entry]
    options: PlanOptions


async def declared(
    session: Session,
    application: Application,
    *,
    revision: str = "",
    working_copy: Path | None = None,
    applied: bool = False,
) -> Declared:
    """The state declared at the newest revision, at `revision` (a SHA, revision or branch), or in a working copy.

    `applied`: with remote bases as they were applied last. Raises SourceError or RenderError with all that is wrong,
    UsageError, ApiError.
    """
    inventories = await _inventories(session)
    key = Key(APPLICATION, application.metadata.namespace, application.metadata.name)
    state = AppState.begin(key, application)
    state.inventory = inventories.get(state.owner, {})
    async with AsyncExitStack() as stack:
        git = await stack.enter_async_context(_git(working_copy))
        downloads = await stack.enter_async_context(open_downloads(session))
        bundle = await _bundle(session, git, application, revision, downloads)
        # A working copy stands for the Application's own repository only.
        other = isinstance(git, WorkingCopy) and bundle.main.bases.prefixes
        remote = await stack.enter_async_context(_git(None)) if other else git
        bases = RemoteBases(remote, SystemClock(), standing=_standing(application) if applied else {})
        programs = find_programs()
        states = DesiredStates(
            renderer=KustomizeRenderer(
                kustomize=programs.kustomize,
                helm=programs.helm,
                decryption=Decryption(program=programs.sops, vault=memory_folder()),
                charts=await downloads.chart_desk(),
            ),
            objects=session.objects,
            inputs=InputStore(objects=session.objects, key=_NO_KEY),
            instance=await _instance(session),
            key=_NO_KEY,
            capabilities=KubeCapabilities(session.connection, Discovery(session.connection)),
            bases=bases,
        )
        desired = await states.get(application, bundle.main, state, others=bundle.trees)
    held = {ref: owner for owner, entries in inventories.items() if owner != state.owner for ref in entries}
    options = Heritage.options(application, state, desired, held, session.namespace)
    return Declared(desired, state.inventory, options)


@asynccontextmanager
async def _git(working_copy: Path | None) -> AsyncIterator[Git]:
    """The working copy, or mirrors in a folder of this process: they are shallow, and those of others are locked."""
    if working_copy is not None:
        yield WorkingCopy(working_copy)
        return
    with TemporaryDirectory(prefix="trimtab-cli-") as folder:
        mirrors = GitMirrors(Path(folder))
        await mirrors.start()
        try:
            yield mirrors
        finally:
            await mirrors.close()


async def _bundle(session: Session, git: Git, application: Application, revision: str, downloads: Downloads) -> Bundle:
    """All sources of the Application as they are now; `revision`, or the working copy, is that of its own source."""
    key = Key(APPLICATION, session.namespace, application.metadata.name)
    wanted = tuple(dict.fromkeys(source_keys(key, application)))
    own, artifacts = wanted[0], Artifacts()
    if own.kind != GIT_REPOSITORY and (revision or isinstance(git, WorkingCopy)):
        raise UsageError(f"{application.metadata.name} is not made from Git", remedy="leave out --revision and --path")
    for each in wanted:
        if each.kind != GIT_REPOSITORY:
            artifact = await downloads.artifact(each)
        else:
            artifact = await _artifact(session, git, each.name, revision if each == own else "")
        artifacts.put(each, artifact)
    return await Sources(artifacts, downloads.charts).get(key, application)


async def _artifact(session: Session, git: Git, name: str, revision: str) -> Artifact:
    try:
        body = await read(session, Named(REPOSITORY, name))
    except UsageError:
        if isinstance(git, WorkingCopy):
            fetched = await git.fetch("https://working-copy.invalid", {}, None, timeout_seconds=0.0)
            tree = GitTree(git, "https://working-copy.invalid", None, fetched.revision.sha)
            return Artifact(tree, fetched.revision, fetched.commit, 0.0)
        raise
    repository = as_repository(body)
    ref = _ref(revision) or repository.spec.ref.to_body()
    try:
        return await _fetched(session, git, repository, ref)
    except SourceError as error:
        remedy = "this machine has to reach the repository: or compare with a working copy, by --path"
        raise SourceError(*(replace(each, remedy=each.remedy or remedy) for each in error.problems)) from None


async def _fetched(
    session: Session, git: Git, repository: GitRepository, ref: dict[str, str], *, within: tuple[str, ...] = ()
) -> Artifact:
    """What the controller would make of the repository now, with all that it includes."""
    spec, name = repository.spec, repository.metadata.name
    if name in within:
        raise UsageError(f"GitRepository {name} includes itself", remedy="see its conditions: trimtab get repositories")
    credentials = None
    if isinstance(git, WorkingCopy):
        if spec.include:
            raise UsageError(
                f"GitRepository {name} includes others, which no working copy holds",
                remedy="compare with what was pushed: without --path",
            )
    else:
        key = Key(GIT_REPOSITORY, session.namespace, name)
        credentials = await CredentialCache(ReferredSecrets(session.objects)).get(key, repository)
    included = []
    for each in spec.include:
        other = as_repository(await read(session, Named(REPOSITORY, each.repository.name)))
        part = await _fetched(session, git, other, other.spec.ref.to_body(), within=(*within, name))
        included.append(part.tree)
    fetched = await git.fetch(spec.url, ref, credentials, timeout_seconds=spec.timeout_seconds)
    trees = [tree for tree in included if isinstance(tree, GitTree | GraftedTree)]
    tree = await SourceTrees(git=git).make(spec, fetched.revision.sha, credentials, trees, addresses=_FROM_HERE)
    rules = base_rules(GIT_REPOSITORY, name, spec, ANYWHERE)
    if rules.prefixes:
        rules = replace(rules, url=spec.url, credentials=credentials)
    return Artifact(tree, fetched.revision, fetched.commit, 0.0, bases=rules)


def _standing(application: Application) -> dict[str, str]:
    return {each.url: each.revision for each in application.status.remote_bases or ()}


def _ref(revision: str) -> dict[str, str]:
    """A GitRepository's ref for what users write; empty where they wrote nothing."""
    if not revision:
        return {}
    try:
        return {"commit": Revision.parse(revision).sha}
    except ValueError:
        is_sha = len(revision) in (40, 64) and set(revision) <= set("0123456789abcdef")
        return {"commit" if is_sha else "branch": revision}


async def _instance(session: Session) -> str:
    """The installation's ID, which is part of a label of every object. Raises UsageError where none was made yet."""
    ref = ObjectRef(LOCAL_CLUSTER, "", "ConfigMap", session.namespace, INSTANCE_NAME)
    found = await session.objects.get(ref, "v1")
    identity = (found.body.get("data") or {}).get("id") if isinstance(found, Live) else None
    if not identity:
        raise UsageError(
            f"no controller has run in namespace {session.namespace} yet",
            remedy=f"start one: trimtab run -n {session.namespace}",
        )
    return str(identity)


async def _inventories(session: Session) -> dict[Owner, dict[ObjectRef, Entry]]:
    """What each Application of the namespace owns."""
    found: dict[Owner, dict[ObjectRef, Entry]] = {}
    for body in await session.objects.list(inventory.RESOURCE, session.namespace):
        try:
            spec = Inventory.parse(body).spec
            owner = Owner(session.namespace, spec.application.name, spec.application.uid)
            found[owner] = union((found.get(owner, {}), spec.to_entries()))
        except (ValidationError, ValueError) as error:
            raise UsageError(
                f"Inventory {body['metadata']['name']} cannot be read: {type(error).__name__}",
                remedy="let the controller mend it: trimtab reconcile --wait",
            ) from None
    return found
