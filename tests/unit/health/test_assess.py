"""Every state under testdata/: the first document says what is expected, the second is the object."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from trimtab.health.assess import assess
from trimtab.health.kinds import RULES
from trimtab.health.status import Health, HealthStatus

TESTDATA = Path(__file__).parent / "testdata"
STATES = sorted(TESTDATA.glob("*.yaml"))


def read(path: Path) -> tuple[Health, dict]:
    head, body = yaml.safe_load_all(path.read_text(encoding="utf-8"))
    return Health(HealthStatus(head["expect"]["status"]), head["expect"]["message"]), body


@pytest.mark.parametrize("path", STATES, ids=lambda path: path.stem)
def test_state(path):
    expected, body = read(path)
    assert assess(body) == expected


def test_every_rule_has_states():
    covered = {(body["apiVersion"].rpartition("/")[0], body["kind"]) for _, body in map(read, STATES)}
    rules = {id(rule): kind for kind, rule in RULES.items()}
    tried = {id(RULES[kind]) for kind in covered if kind in RULES}
    assert [kind for rule, kind in rules.items() if rule not in tried] == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["conditions", "type", "status", "reason", "observedGeneration", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(status=json_values, spec=json_values)
def test_no_status_of_a_foreign_kind_breaks_it(status, spec):
    body = {
        "apiVersion": "example.test/v1",
        "kind": "Odd",
        "metadata": {"name": "odd", "generation": 3},
        "spec": spec,
        "status": status,
    }
    assert assess(body).status in HealthStatus
