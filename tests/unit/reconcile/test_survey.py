"""Who is asked about objects, and how often: watches first, lists before GETs, and nobody about empty namespaces."""

import pytest
from tests.fakes.cluster import kind_of
from tests.fakes.controller import config_map, deployment, namespace
from tests.fakes.sea import OWNER, Sea, marked

from trimtab.core.api_error import ApiError
from trimtab.core.observed import Live
from trimtab.core.refs import ObjectRef
from trimtab.plan.ownership import Owner
from trimtab.plan.sight import Foreign, Missing, Owned, Sight, Unsure
from trimtab.reconcile.ports import Vanished
from trimtab.reconcile.survey import Surveyor


@pytest.fixture
def sea() -> Sea:
    return Sea()


def maps(count: int) -> list[ObjectRef]:
    return [ObjectRef.of(config_map(f"m{number}")) for number in range(count)]


async def look(sea: Sea, *refs: ObjectRef) -> dict[ObjectRef, Sight]:
    return await Surveyor(sea.objects, sea.observer).look(dict.fromkeys(refs, "v1"), str(OWNER))


async def test_what_the_watches_know_is_not_asked(sea: Sea) -> None:
    ref = sea.at_rest(config_map("a"))
    sights = await look(sea, ref)
    assert isinstance(sights[ref], Owned)
    assert sea.objects.requests == []


async def test_few_unknown_objects_are_got_one_by_one(sea: Sea) -> None:
    refs = maps(2)
    sea.cluster.other_applies(config_map("m1"))
    sights = await look(sea, *refs)
    assert sights[refs[0]] == Missing()
    assert isinstance(sights[refs[1]], Foreign)
    assert sea.objects.requests == [("get", str(ref)) for ref in refs]


async def test_many_are_listed_by_type_and_namespace(sea: Sea) -> None:
    refs = maps(10)
    sea.cluster.other_applies(config_map("m1"))
    sights = await look(sea, *refs, ObjectRef.of(deployment("web")))
    assert sorted(sea.objects.requests) == [("get", "Deployment.apps/shop/web"), ("list", "ConfigMap in shop")]
    assert isinstance(sights[refs[1]], Foreign)
    assert all(sights[ref] == Missing() for ref in refs if ref != refs[1])


async def test_nothing_is_asked_about_a_namespace_that_is_absent(sea: Sea) -> None:
    fresh = ObjectRef("local", "", "Namespace", "", "fresh")
    inside = ObjectRef("local", "", "ConfigMap", "fresh", "a")
    sights = await look(sea, inside, fresh)
    assert sights == {fresh: Missing(), inside: Missing()}
    assert sea.objects.requests == [("get", "Namespace/fresh")]


async def test_an_unknown_namespace_makes_nothing_in_it_missing(sea: Sea) -> None:
    fresh = ObjectRef("local", "", "Namespace", "", "fresh")
    inside = ObjectRef("local", "", "ConfigMap", "fresh", "a")
    error = ApiError(503, "ServiceUnavailable", "later")
    sea.objects.refuse("get", "Namespace/fresh", error)
    sea.objects.refuse("get", "ConfigMap/fresh/a", error)
    sights = await look(sea, inside, fresh)
    assert all(isinstance(sight, Unsure) for sight in sights.values())


async def test_a_failed_list_is_unknown_for_all_and_absent_for_none(sea: Sea) -> None:
    refs = maps(5)
    sea.objects.refuse("list", "ConfigMap in shop", ApiError(403, "Forbidden", "not you"))
    sights = await look(sea, *refs)
    assert sights == dict.fromkeys(refs, Unsure("Forbidden: not you"))


async def test_an_unserved_kind_has_no_objects(sea: Sea) -> None:
    widget = ObjectRef("local", "example.org", "Widget", "shop", "w")
    assert await look(sea, widget) == {widget: Missing()}
    assert sea.objects.requests == []


async def test_our_own_objects_in_a_list_are_read_whole(sea: Sea) -> None:
    refs = maps(4)
    sea.applied(config_map("m0"))
    sights = await look(sea, *refs)
    assert isinstance(sights[refs[0]], Owned)
    assert sea.objects.requests == [("list", "ConfigMap in shop"), ("get", "ConfigMap/shop/m0")]
    sighting = sea.observer.sighting(refs[0])
    assert sighting is not None, "and are known from now on"


async def test_applied_objects_without_their_marks_are_read_whole_too(sea: Sea) -> None:
    """Metadata alone could not tell what of them was changed."""
    refs = maps(4)
    answer = sea.applied(config_map("m0"))
    sea.expect(answer)
    del sea.cluster.objects[refs[0]]["metadata"]["annotations"]
    sights = await look(sea, *refs)
    assert isinstance(sights[refs[0]], Foreign)
    sighting = sea.observer.sighting(refs[0])
    assert sighting is not None
    assert sighting.body is not None


async def test_a_doubt_is_settled_by_asking(sea: Sea) -> None:
    there, gone = sea.at_rest(config_map("a")), sea.at_rest(deployment("web"))
    for ref, body in ((there, config_map("a")), (gone, deployment("web"))):
        sea.observer.sink(Vanished(kind_of(body), sea.body(ref)))
    sea.cluster.other_deletes(gone)
    sights = await look(sea, there, gone)
    assert isinstance(sights[there], Owned)
    assert sights[gone] == Missing()
    assert sea.observer.doubt(there) is None
    assert sea.observer.doubt(gone) is None


async def test_what_differs_without_its_body_at_hand_is_read_again(sea: Sea) -> None:
    answer = sea.applied(config_map("a"))
    ref = ObjectRef.of(answer)
    sea.see(sea.edit(ref))
    sea.expect(answer)
    await look(sea, ref)
    assert sea.objects.requests == [("get", "ConfigMap/shop/a")]
    sighting = sea.observer.sighting(ref)
    assert sighting is not None
    assert sighting.body is not None


async def test_an_object_with_anothers_mark_is_foreign(sea: Sea) -> None:
    body = marked(config_map("a"), Owner("trimtab-system", "blog", "uid-of-blog")).body
    sea.cluster.apply(body)
    ref = ObjectRef.of(body)
    sights = await look(sea, ref)
    assert isinstance(sights[ref], Foreign)


async def test_copied_marks_without_our_apply_entry_are_foreign(sea: Sea) -> None:
    body = marked(config_map("a")).body
    answer = sea.cluster.other_applies(body)
    ref = ObjectRef.of(body)
    sea.see(answer)
    sights = await look(sea, ref)
    assert isinstance(sights[ref], Foreign)


async def test_a_listed_object_of_nobody_comes_with_its_metadata(sea: Sea) -> None:
    refs = maps(3)
    sea.cluster.other_applies(config_map("m2"))
    sight = (await look(sea, *refs))[refs[2]]
    assert isinstance(sight, Foreign)
    assert isinstance(sight.live, Live)
    assert sight.live.uid


async def test_namespaces_themselves_are_asked_once(sea: Sea) -> None:
    refs = [ObjectRef("local", "", "Namespace", "", f"n{number}") for number in range(3)]
    sea.cluster.other_applies(namespace("n1"))
    sights = await look(sea, *refs)
    assert sea.objects.requests == [("list", "Namespace")]
    assert [type(sights[ref]) for ref in refs] == [Missing, Foreign, Missing]
