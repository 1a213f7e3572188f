"""What the closure walk learns of remote bases: which there are, how deep, and whether they lead in circles.

`closure` tells it each step; problems come out with the file and line of the reference that goes too far.
"""

from dataclasses import dataclass, field

from trimtab.core.errors import Problem
from trimtab.core.manifest import Origin
from trimtab.render.kustomization import Kustomization, Reference
from trimtab.render.remote_places import MAX_BASES, MAX_DEPTH, RemotePlaces
from trimtab.source.remote_base import RemoteBase


@dataclass(slots=True)
class RemoteWalk:
    """One walk. `bases` has the repositories found, by their places."""

    bases: dict[str, RemoteBase] = field(default_factory=dict)
    _depths: dict[str, int] = field(default_factory=dict)
    """How many remote bases lead to a folder; none to those of the source itself."""
    _ways: dict[str, set[str]] = field(default_factory=dict)
    _remote: list[tuple[str, Reference, str]] = field(default_factory=list)
    _refused: list[Problem] = field(default_factory=list)

    def step(self, reference: Reference, kustomization: Kustomization, places: RemotePlaces) -> bool:
        """Whether a reference may be followed; one that goes too far is a problem."""
        depth = self._depths.get(kustomization.folder, 0)
        if reference.base is None:
            self._depths.setdefault(reference.path, depth)
            return True
        if depth >= MAX_DEPTH:
            return self._refuse(f"remote bases of remote bases more than {MAX_DEPTH} deep", reference, kustomization)
        place = places.place(reference.base.repository)
        if place not in self.bases and len(self.bases) >= MAX_BASES:
            return self._refuse(f"more than {MAX_BASES} remote bases", reference, kustomization)
        self.bases[place] = reference.base.repository
        self._depths.setdefault(reference.path, depth + 1)
        self._remote.append((kustomization.folder, reference, kustomization.file))
        return True

    def reaches(self, folder: str, other: str) -> None:
        """A kustomization names another one."""
        self._ways.setdefault(folder, set()).add(other)

    def problems(self) -> tuple[Problem, ...]:
        """All that goes too far, and the first remote base by which a way leads back to where it came from."""
        circle = next((each for each in self._remote if each[0] in self._reached(each[1].path)), None)
        if circle is None:
            return tuple(self._refused)
        _, reference, file = circle
        told = Problem(
            f"remote base {reference.text} leads back here: remote bases go in circles",
            origin=Origin(file, reference.line),
            remedy="take one of them off",
            reason="BuildFailed",
        )
        return (*self._refused, told)

    def _reached(self, start: str) -> set[str]:
        found, todo = {start}, [start]
        while todo:
            new = self._ways.get(todo.pop(), set()) - found
            found |= new
            todo += new
        return found

    def _refuse(self, message: str, reference: Reference, kustomization: Kustomization) -> bool:
        origin = Origin(kustomization.file, reference.line)
        remedy = "copy some of them into the repository"
        self._refused.append(Problem(message, origin=origin, remedy=remedy, reason="BuildFailed"))
        return False
