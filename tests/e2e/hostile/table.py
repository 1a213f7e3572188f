"""The table: all rows, by topic. `document` writes the page about them, `test_hostile_sources` replays them."""

from typing import Final

from tests.e2e.hostile import addresses, arguments, bombs, credentials, git, paths
from tests.e2e.hostile.attack import Attack, Row

TOPICS: Final[dict[str, tuple[Row, ...]]] = {
    "Paths": paths.ROWS,
    "Bombs": bombs.ROWS,
    "Git": git.ROWS,
    "Arguments": arguments.ROWS,
    "Addresses": addresses.ROWS,
    "Credentials": credentials.ROWS,
}
ROWS: Final = tuple(row for rows in TOPICS.values() for row in rows)
ATTACKS: Final = tuple(row for row in ROWS if isinstance(row, Attack))
