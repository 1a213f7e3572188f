"""Which artifacts a GitRepository includes: found among those at hand, circles refused.

The origin of GitRepositories asks before it builds a tree.
"""

from dataclasses import dataclass

from trimtab.api.git_repository import GitRepository
from trimtab.core.errors import Problem, SourceError
from trimtab.reconcile.artifacts import Artifact, Artifacts
from trimtab.reconcile.desk import GIT_REPOSITORY, Desk
from trimtab.reconcile.queue import Key


@dataclass(frozen=True, slots=True)
class Includes:
    """Looks includes up, within one namespace only."""

    desk: Desk
    artifacts: Artifacts

    def of(self, key: Key, repository: GitRepository) -> tuple[Artifact, ...]:
        """The artifact of each include, in order. Raises SourceError: IncludeCycle, IncludeNotReady."""
        self._refuse_circle(key, repository)
        found = []
        for each in repository.spec.include:
            name = each.repository.name
            artifact = self.artifacts.get(Key(GIT_REPOSITORY, key.namespace, name))
            if artifact is None:
                raise SourceError(
                    Problem(
                        f"the included GitRepository {name} has no artifact yet",
                        reason="IncludeNotReady",
                        remedy="see its conditions, or correct spec.include",
                        retry=True,
                    )
                )
            found.append(artifact)
        return tuple(found)

    def _refuse_circle(self, key: Key, repository: GitRepository) -> None:
        """Whether some way of includes leads back here: each round would include the last one."""
        ways: list[tuple[str, ...]] = [(key.name, each.repository.name) for each in repository.spec.include]
        seen = set[str]()
        while ways:
            *way, name = ways.pop()
            if name == key.name:
                raise SourceError(
                    Problem(
                        f"includes go in circles: {' → '.join([*way, name])}",
                        reason="IncludeCycle",
                        remedy="remove one of these includes",
                    )
                )
            if name in seen:
                continue
            seen.add(name)
            other = self.desk.repository(Key(GIT_REPOSITORY, key.namespace, name))
            further = other.spec.include if other else ()
            ways += [(*way, name, each.repository.name) for each in further]
