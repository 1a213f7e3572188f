"""Our own objects as verbs name and read them.

Words of the command line flow in (`shop`, `application/shop`, `repository/fleet`); bodies and typed objects flow out,
and errors that say what there is instead.
"""

from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from trimtab.api import application, git_repository
from trimtab.api.application import Application
from trimtab.api.git_repository import GitRepository
from trimtab.cli.session import Session
from trimtab.core.errors import Problem, TrimtabError
from trimtab.core.observed import Live, Unknown
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef, ResourceType

T = TypeVar("T", Application, GitRepository)

APPLICATION: Final = application.RESOURCE
REPOSITORY: Final = git_repository.RESOURCE

_KINDS: Final = {
    **dict.fromkeys(("app", "application", "applications", "tapp"), APPLICATION),
    **dict.fromkeys(("repo", "repository", "repositories", "gitrepository", "gitrepositories", "tgit"), REPOSITORY),
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
        """`shop` is the Application shop, `repository/fleet` the GitRepository fleet. Raises UsageError."""
        word, slash, name = text.partition("/")
        if not slash:
            return cls(APPLICATION, word)
        kind = _KINDS.get(word.lower())
        if kind is None or not name:
            raise UsageError(
                f"{text!r} names nothing that Trimtab knows", remedy="write NAME, application/NAME or repository/NAME"
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
