"""What the pages say of the code is so."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_reason_that_users_read_about_is_given_by_the_code():
    code = "\n".join(path.read_text() for path in (ROOT / "controller/trimtab").rglob("*.py"))
    table = (ROOT / "docs/sources.md").read_text().partition("| Reason | Meaning |")[2]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    reasons = {reason for row in rows for reason in re.findall(r"`(\w+)`", row)}
    assert len(reasons) > 15
    assert {reason for reason in reasons if f'"{reason}"' not in code} == set()


def test_links_between_pages_lead_somewhere():
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
