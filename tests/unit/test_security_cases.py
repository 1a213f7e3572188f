"""The table of attacks is whole: every advisory has a row, what it points to exists, and the page about it is fresh."""

import re
from pathlib import Path

from tests.e2e.hostile.advisories import KNOWN
from tests.e2e.hostile.attack import Elsewhere, NotApplicable
from tests.e2e.hostile.document import PAGE, page
from tests.e2e.hostile.table import ATTACKS, ROWS

ROOT = Path(__file__).parents[2]


def test_every_advisory_has_a_row_and_no_row_an_unknown_one():
    replayed = {name for row in ROWS for name in row.replays}
    assert replayed == KNOWN


def test_names_are_unique_and_fit_objects():
    names = [attack.name for attack in ATTACKS]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?", name)] == []


def test_twins_exist_and_say_the_same():
    by_name = {attack.name: attack for attack in ATTACKS}
    for attack in ATTACKS:
        if attack.twin:
            twin = by_name[attack.twin]
            assert (twin.reason, twin.words, twin.twin) == (attack.reason, attack.words, "")


def test_tests_elsewhere_exist():
    for row in ROWS:
        if isinstance(row, Elsewhere):
            assert row.tests
            for each in row.tests:
                path, _, name = each.partition("::")
                assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(), re.MULTILINE), each


def test_what_does_not_apply_says_why():
    reasons = [row.why for row in ROWS if isinstance(row, NotApplicable)]
    assert reasons
    assert min(len(reason) for reason in reasons) > 40


def test_the_page_is_what_the_table_says():
    assert PAGE.read_text() == page(), "run: python -m tests.e2e.hostile.document"
