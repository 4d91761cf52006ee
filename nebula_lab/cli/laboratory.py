"""`nebula-lab lab`: JupyterLab with the sidebar, on a folder."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import click

from nebula_lab.cli.failing import PluginCommand, debug_option

_EXTENSION = "nebula-lab"
_INSTALL = "python -m pip install 'nebula-lab[lab]'"


@click.command("lab", cls=PluginCommand, context_settings={"ignore_unknown_options": True})
@click.argument(
    "folder",
    default=".",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@debug_option
def lab(folder: Path, arguments: tuple[str, ...]) -> None:
    """Start JupyterLab in FOLDER, with the sidebar of nebula_lab.

    ARGUMENTS are JupyterLab's own, such as --no-browser or --port 8899. In a notebook there,
    `%load_ext nebula_lab` finds the plugins of the folder.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise click.ClickException(f"JupyterLab is not installed: {_INSTALL}")
    if not _has_sidebar():
        click.echo(
            "The sidebar is not installed where JupyterLab looks; the %plugin magic works without "
            f"it. To have it: {_INSTALL}, or `make frontend` in a checkout.",
            err=True,
        )
    sys.stdout.flush()
    os.chdir(folder)
    # Nothing of ours stays around it: signals and the exit code are its own.
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", *arguments])  # noqa: S606


def _has_sidebar() -> bool:
    from jupyter_core.paths import jupyter_path

    return any((Path(one) / _EXTENSION).is_dir() for one in jupyter_path("labextensions"))
