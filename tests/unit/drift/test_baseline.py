import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.drift.objects import T1, deployment, entry, owned, secret, taken

from trimtab.core.fields.managed import our_paths
from trimtab.core.fields.path import Path, fields, resolve
from trimtab.drift.baseline import ALGORITHM, baseline

KEY = b"installation"
LIVE = owned(deployment())
REST = baseline(LIVE, key=KEY)
OWNED = sorted(our_paths(LIVE))
SCALARS = [path for path in OWNED if not isinstance(resolve(LIVE, path), dict | list)]


def changed(live, path: Path, value):
    """A deep copy with `value` at the path."""
    result = copy.deepcopy(live)
    holder = resolve(result, path[:-1])
    holder[path[-1].text] = value
    return result


def shuffled(value, order: bool):
    if isinstance(value, dict):
        return {name: shuffled(value[name], order) for name in sorted(value, reverse=order)}
    if isinstance(value, list):
        items = [shuffled(item, order) for item in value]
        return items[::-1] if items and isinstance(items[0], dict) else items
    return value


def test_it_names_its_algorithm_and_shows_no_value():
    assert REST is not None
    assert REST.startswith(f"{ALGORITHM}:")
    assert len(REST) == len(ALGORITHM) + 1 + 64


def test_without_an_apply_entry_there_is_none():
    assert baseline({**deployment()}, key=KEY) is None
    assert baseline(taken(LIVE, our_paths(LIVE)), key=KEY) is None


def test_an_entry_of_another_api_version_says_nothing():
    assert baseline({**LIVE, "apiVersion": "apps/v2"}, key=KEY) is None


def test_it_depends_on_the_key_and_on_the_object():
    one = owned(secret(a="eA=="))
    other = copy.deepcopy(one)
    other["metadata"]["name"] = "others"
    digests = {baseline(one, key=KEY), baseline(one, key=b"another"), baseline(other, key=KEY)}
    assert len(digests) == 3


@given(
    st.dictionaries(st.text(max_size=8), st.one_of(st.integers(), st.text(max_size=8)), max_size=4),
    st.integers(0, 99),
    st.booleans(),
)
def test_what_is_not_ours_leaves_it_alone(status, number, order):
    live = copy.deepcopy(LIVE)
    live["status"] = status
    live["metadata"].update(resourceVersion=str(number), generation=number, annotations={"foreign": str(number)})
    live["metadata"]["labels"]["foreign"] = "1"
    live["spec"]["revisionHistoryLimit"] = number
    pod = live["spec"]["template"]["spec"]
    pod["containers"][0]["env"].append({"name": f"FOREIGN{number}", "value": "1"})
    pod["containers"].append({"name": "sidecar", "image": "side:1"})
    pod["volumes"][0]["emptyDir"] = {"medium": "Memory"}
    assert baseline(shuffled(live, order), key=KEY) == REST


@given(st.sampled_from(SCALARS), st.one_of(st.text(max_size=9), st.integers(), st.booleans()))
def test_any_change_of_a_declared_scalar_shows(path, value):
    before = resolve(LIVE, path)
    digest = baseline(changed(LIVE, path, value), key=KEY)
    assert (digest == REST) == (type(value) is type(before) and value == before)


@given(st.sampled_from(OWNED))
def test_any_path_taken_by_another_writer_shows(path):
    assert baseline(taken(LIVE, frozenset({path})), key=KEY) != REST


def test_a_removed_scalar_shows_and_null_equals_absent():
    path = fields("spec", "replicas")
    nulled = changed(LIVE, path, None)
    removed = copy.deepcopy(LIVE)
    del removed["spec"]["replicas"]
    assert baseline(nulled, key=KEY) == baseline(removed, key=KEY) != REST


def test_entries_of_others_leave_it_alone():
    foreign = entry("kubectl-edit", frozenset({fields("spec", "paused")}), time=T1)
    assert baseline(owned(deployment(), foreign), key=KEY) == REST


@pytest.mark.parametrize("value", [[], ["a"], {}, {"a": 1}])
def test_maps_and_lists_contribute_their_path_only(value):
    args = next(path for path in OWNED if path[-1].text == "args")
    assert baseline(changed(LIVE, args, value), key=KEY) == REST
