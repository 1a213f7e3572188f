"""Which types are watched, as Applications come and go."""

import pytest
from tests.fakes.controller import SIGNING_KEY
from tests.fakes.sea import Sea

from trimtab.core.refs import ResourceType
from trimtab.reconcile.observer import Observer
from trimtab.reconcile.ports import Synced, WatchTrouble
from trimtab.reconcile.queue import Key
from trimtab.reconcile.watch_set import SYNC_SECONDS, WatchSet

pytestmark = pytest.mark.looptime

MAPS = ResourceType("", "v1", "ConfigMap", "configmaps", namespaced=True)
SECRETS = ResourceType("", "v1", "Secret", "secrets", namespaced=True)
SHOP, BLOG = Key("Application", "ns", "shop"), Key("Application", "ns", "blog")


class Watches:
    """Remembers every wish; shows an empty list at once unless it is silent."""

    def __init__(self, observer: Observer, *, silent: bool = False) -> None:
        self.wishes: list[frozenset[ResourceType]] = []
        self._observer = observer
        self._silent = silent

    def want(self, kinds: frozenset[ResourceType]) -> None:
        self.wishes.append(kinds)
        for kind in kinds if not self._silent else ():
            self._observer.sink(Synced(kind, frozenset()))

    def oldest_sign_of_life_seconds(self) -> float:
        return 0.0

    def synced(self, kind: ResourceType) -> bool:
        return True


@pytest.fixture
def observer() -> Observer:
    return Observer(key=SIGNING_KEY, clock=Sea().clock)


async def test_one_watch_serves_all_and_ends_with_the_last_wish(observer: Observer) -> None:
    watches = Watches(observer)
    wanted = WatchSet(watches, observer)
    await wanted.want(SHOP, {MAPS})
    await wanted.want(BLOG, {MAPS, SECRETS})
    await wanted.want(BLOG, {MAPS, SECRETS})
    wanted.forget(SHOP)
    assert watches.wishes == [{MAPS}, {MAPS, SECRETS}], "the same set again is not said again"
    await wanted.want(BLOG, {SECRETS})
    wanted.forget(BLOG)
    wanted.forget(BLOG)
    assert watches.wishes[2:] == [{SECRETS}, set()]


async def test_a_silent_watch_is_not_waited_for_longer_than_it_is_worth(observer: Observer, looptime: object) -> None:
    wanted = WatchSet(Watches(observer, silent=True), observer)
    await wanted.want(SHOP, {MAPS})
    assert looptime == SYNC_SECONDS


async def test_what_was_known_of_a_type_is_void_once_it_is_not_watched(observer: Observer) -> None:
    wanted = WatchSet(Watches(observer, silent=True), observer)
    observer.sink(WatchTrouble(MAPS, "forbidden"))
    await wanted.want(SHOP, {MAPS})
    wanted.forget(SHOP)
    assert observer.trouble(MAPS) is None
