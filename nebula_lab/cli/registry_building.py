"""`nebula-lab registry build`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nebula_lab.cli.failing import PluginCommand, debug_option, json_option

if TYPE_CHECKING:
    from nebula_lab.registry.building.build import Built

_SHOWN = 20


@click.command("build", cls=PluginCommand)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out",
    metavar="DIR",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of the registry; made if need be.",
)
@click.option("--name", metavar="TEXT", help="What people call the registry.")
@click.option("--recursive", is_flag=True, help="Look into folders that are no plugins too.")
@json_option
@debug_option
def build(folder: Path, out: Path, name: str | None, recursive: bool, as_json: bool) -> None:
    """Put every plugin in FOLDER into a registry that any file server can serve.

    Nothing of a plugin runs. What is in the registry already stays, and a version never changes.
    The same plugins give the same files, whenever and wherever it is done.
    """
    from nebula_lab.cli.values import to_json
    from nebula_lab.registry.building.build import build as build_registry

    built = build_registry(folder, out, name=name, recursive=recursive)
    if as_json:
        document = {
            "out": str(out),
            "added": [{"id": name, "version": version} for name, version in built.added],
            "unchanged": [{"id": name, "version": version} for name, version in built.unchanged],
        }
        click.echo(to_json(document, indent=2))
        return
    click.echo(_in_words(built, out))
    if built.is_signed:
        click.echo(f"Sign it anew: nebula-lab registry sign {out} --key KEY", err=True)


def _in_words(built: Built, out: Path) -> str:
    added = [f"Added {name} {version}." for name, version in built.added[:_SHOWN]]
    if len(built.added) > _SHOWN:
        added.append(f"Added {len(built.added) - _SHOWN} more.")
    count = len(built.added) + len(built.unchanged)
    added.append(f"{out} has {'it' if count == 1 else f'all {count}'} now.")
    return "\n".join(added)


BUILDING_COMMANDS = (build,)
