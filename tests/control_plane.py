"""Fetches or builds the programs of the control plane before the tests that need them; called by `make control-plane`.

In: the environment (where to look, how to fetch). Out: the place of each program; exit code 1 and the remedy where one
cannot be had. The second time it only looks.
"""

import sys

from rich.console import Console

from trimtab.localcluster import ClusterError
from trimtab.localcluster.assets import Finder
from trimtab.localcluster.progress import ConsoleProgress
from trimtab.localcluster.registry import ASSETS


def main() -> int:
    """Have all programs ready and list them."""
    console = Console(highlight=False, soft_wrap=True)
    try:
        paths = Finder.from_environment().find(ASSETS, progress=ConsoleProgress())
    except ClusterError as error:
        Console(stderr=True, soft_wrap=True).print(str(error), style="red", markup=False)
        return 1
    for name, path in paths.items():
        console.print(f"{name:<24} {ASSETS[name].version:<10} {path}", markup=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
