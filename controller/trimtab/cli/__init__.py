"""The command line, one module per verb; `main` is the console script."""


def main() -> None:
    """Run `trimtab` (also as `kubectl trimtab`)."""
    from trimtab.cli.root import app

    app()
