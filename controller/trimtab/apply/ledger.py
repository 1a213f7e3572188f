"""The run's side of the inventory: what has to be written, what is being written, and who waits for it.

`apply.engine` puts entries in and takes `Record` commands out, one at a time. Entries that something waits for are
written at once; results are gathered, because each write rewrites whole shards.
"""

from typing import Final

from trimtab.apply.commands import Record, Retry
from trimtab.apply.events import RecordFailed
from trimtab.apply.retry import Tries
from trimtab.core.inventory import Entry
from trimtab.core.refs import ObjectRef

BATCH: Final = 200
"""Results that are gathered before they are written without being asked for."""


class Ledger:
    """Inventory writes of one run. `urgent` holds the objects whose entries somebody waits for."""

    def __init__(self) -> None:
        self._pending: dict[ObjectRef, Entry | None] = {}
        self._urgent: set[ObjectRef] = set()
        self._writing: dict[ObjectRef, Entry | None] = {}
        self._awaited: set[ObjectRef] = set()
        self._tries = Tries("inventory")

    @property
    def busy(self) -> bool:
        """Whether a `Record` is out."""
        return bool(self._writing)

    @property
    def settled(self) -> bool:
        """Whether everything that was put in is written (or given up)."""
        return not self._writing and not self._pending

    def put(self, ref: ObjectRef, entry: Entry | None) -> None:
        """Have an entry written when it suits; a later one for the same object replaces it."""
        self._pending[ref] = entry

    def require(self, ref: ObjectRef, entry: Entry) -> None:
        """Have an entry written at once; `recorded` will name the object."""
        self._pending[ref] = entry
        self._urgent.add(ref)

    def take(self, *, flush: bool) -> Record | None:
        """The next write, if one is due and none is out. `flush`: what was gathered is due."""
        if self.busy or not self._pending:
            return None
        if not (self._urgent or flush or len(self._pending) >= BATCH):
            return None
        self._writing, self._pending = self._pending, {}
        self._awaited, self._urgent = self._urgent, set()
        return Record(dict(self._writing))

    def recorded(self) -> set[ObjectRef]:
        """The write succeeded: the objects that may go on now."""
        awaited = self._awaited
        self._writing, self._awaited, self._tries = {}, set(), Tries("inventory")
        return awaited

    def failed(self, event: RecordFailed, *, retry: bool) -> Retry | set[ObjectRef]:
        """The write failed: another try, or the objects that cannot go on because it was the last.

        What is given up leaves older entries in place: Intended, or Applied with the same UID and an old baseline.
        Both make the next plan look again, and neither loses an object.
        """
        delay_seconds = None if event.final or not retry else self._tries.next_seconds()
        if delay_seconds is None:
            return self.recorded()
        self._writing |= self._pending
        self._awaited |= self._urgent
        self._pending, self._urgent = {}, set()
        return Retry(Record(dict(self._writing)), delay_seconds)
