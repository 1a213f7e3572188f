"""`trimtab crds`: print the CustomResourceDefinitions, write them to a folder, or check that a folder holds them.

The models of api flow in, YAML text flows out; the root command mounts it, `make lint` calls it with `--check`.
"""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.api.crd import crd_files, stale


def crds(
    output_dir: Annotated[
        Path | None, typer.Option("--output-dir", "-d", help="Write one file per kind here instead of printing.")
    ] = None,
    check: Annotated[
        Path | None, typer.Option("--check", help="Write nothing; exit 1 where the files in this folder are stale.")
    ] = None,
) -> None:
    """Print the CustomResourceDefinitions as YAML, ready for kubectl apply."""
    if check is not None:
        _check(check)
    elif output_dir is not None:
        output_dir.mkdir(parents=True, exist_ok=True)
        for name, text in crd_files().items():
            (output_dir / name).write_text(text, encoding="utf-8")
    else:
        typer.echo("".join(crd_files().values()), nl=False)


def _check(folder: Path) -> None:
    def read(name: str) -> str | None:
        path = folder / name
        return path.read_text(encoding="utf-8") if path.is_file() else None

    outdated = stale(read)
    if outdated:
        typer.echo(f"stale: {', '.join(outdated)} (write them anew with: trimtab crds --output-dir {folder})", err=True)
        raise typer.Exit(1)
