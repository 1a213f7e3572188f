"""Our own objects as verbs name and read them.

Words of the command line flow in (`shop`, `application/shop`, `repository/fleet`); bodies and typed objects flow out,
and errors that say what there is instead.
"""

from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from trimtab.api import application, git_repository, helm_repository, oci_repository
from trimtab.api.application import Application
from trimtab.api.git_repository import GitRepository
from trimtab.api.helm_repository import HelmRepository
from trimtab.api.model import Resource
from trimtab.api.oci_repository import OciRepository
from trimtab.cli.session import Session
from trimtab.core.errors import Problem, TrimtabError
from trimtab.core.observed import Live, Unknown
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef, ResourceType

T = TypeVar("T", bound=Resource)

APPLICATION: Final = application.RESOURCE
REPOSITORY: Final = git_repository.RESOURCE

OCI_REPOSITORY: Final = oci_repository.RESOURCE
HELM_REPOSITORY: Final = helm_repository.RESOURCE
SOURCES: Final = (REPOSITORY, OCI_REPOSITORY, HELM_REPOSITORY)
WORDS: Final = {REPOSITORY: "repository", OCI_REPOSITORY: "oci", HELM_REPOSITORY: "helm"}
"""How the kinds of sources are written before a name."""

_KINDS: Final = {
    **dict.fromkeys(("app", "application", "applications", "tapp"), APPLICATION),
    **dict.fromkeys(("repo", "repository", "repositories", "gitrepository", "gitrepositories", "tgit"), REPOSITORY),
    **dict.fromkeys(("oci", "ocirepository", "ocirepositories", "toci"), OCI_REPOSITORY),
    **dict.fromkeys(("helm", "helmrepository", "helmrepositories", "thelm"), HELM_REPOSITORY),
}


class UsageError(TrimtabError):
    """What was asked for is not there, or cannot be asked for."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(Problem(message, remedy=remedy, reason="Usage"))


@dataclass(frozen=True, slots=True)
class Named:
    """One of our objects; its namespace is the session's."""

    kind: ResourceType
    name: str

    @classmethod
    def parse(cls, text: str) -> "Named":
        """`shop` is an Application, `repository/fleet`, `oci/fleet` and `helm/fleet` are sources. Raises UsageError."""
        word, slash, name = text.partition("/")
        if not slash:
            return cls(APPLICATION, word)
        kind = _KINDS.get(word.lower())
        if kind is None or not name:
            raise UsageError(
                f"{text!r} names nothing that Trimtab knows",
                remedy="write NAME, application/NAME, repository/NAME, oci/NAME or helm/NAME",
            )
        return cls(kind, name)

    def __str__(self) -> str:
        return f"{self.kind.kind}/{self.name}"


def kind_of(word: str) -> ResourceType | None:
    """The kind that a plural, singular or short name means; None where it means none."""
    return _KINDS.get(word.lower())


async def read(session: Session, named: Named) -> dict[str, Any]:
    """The object's body. Raises UsageError where it is absent, with the names that there are."""
    ref = ObjectRef(LOCAL_CLUSTER, named.kind.group, named.kind.kind, session.namespace, named.name)
    match await session.objects.get(ref, named.kind.version):
        case Live(body=body):
            return body
        case Unknown(reason=reason):
            raise UsageError(f"{named} cannot be read: {reason}")
    there = sorted(body["metadata"]["name"] for body in await read_all(session, named.kind, session.namespace))
    remedy = f"there are: {', '.join(there)}" if there else "see `trimtab get -A`, or choose another --namespace"
    raise UsageError(f"there is no {named.kind.kind} {named.name} in namespace {session.namespace}", remedy=remedy)


async def read_all(session: Session, kind: ResourceType, namespace: str) -> list[dict[str, Any]]:
    """All objects of a kind in a namespace (empty: in all). Raises UsageError where the CRDs are missing."""
    if await session.objects.served(kind.group, kind.version, kind.kind) is None:
        raise UsageError(f"the cluster does not know {kind.kind}s", remedy="trimtab install --crds-only")
    return await session.objects.list(kind, namespace)


def as_application(body: dict[str, Any]) -> Application:
    """The typed form. Raises UsageError where the object is not what its CRD asks for."""
    return _typed(Application, body)


def as_repository(body: dict[str, Any]) -> GitRepository:
    """The typed form. Raises UsageError where the object is not what its CRD asks for."""
    return _typed(GitRepository, body)


def as_source(body: dict[str, Any]) -> GitRepository | OciRepository | HelmRepository:
    """The typed form of a source of any kind. Raises UsageError where the object is not what its CRD asks for."""
    match body["kind"]:
        case OCI_REPOSITORY.kind:
            return _typed(OciRepository, body)
        case HELM_REPOSITORY.kind:
            return _typed(HelmRepository, body)
        case _:
            return _typed(GitRepository, body)


def argument(named: Named) -> str:
    """How a user writes it."""
    return f"{WORDS[named.kind]}/{named.name}" if named.kind in WORDS else named.name


def _typed(model: type[T], body: dict[str, Any]) -> T:
    try:
        return model.parse(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        name = body.get("metadata", {}).get("name", "")
        raise UsageError(
            f"{body.get('kind')}/{name} cannot be read: {place}: {first['msg']}", remedy="renew the CRDs and the object"
        ) from None
