"""The command line, one module per verb; `main` is the console script."""


def main() -> None:
    """Run `trimtab` (also as `kubectl trimtab`)."""
    import sys
    from pathlib import PurePath

    from trimtab.cli.root import app

    plugin = PurePath(sys.argv[0]).name == "kubectl-trimtab"
    app(prog_name="kubectl trimtab" if plugin else "trimtab")
