"""`nebula-lab component`: for whoever makes plugins that are WebAssembly components."""

from __future__ import annotations

from pathlib import Path

import click

from nebula_lab.cli.failing import PluginCommand, debug_option

_THERE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def component() -> None:
    """Make plugins that are WebAssembly components."""


@component.command("wit", cls=PluginCommand)
@debug_option
def wit() -> None:
    """Print the WIT world that a component has to export to be a plugin."""
    from nebula_lab.agent import components

    world = Path(components.__file__).with_name("plugin.wit")
    click.echo(world.read_text("utf-8"), nl=False)


@component.command("describe", cls=PluginCommand)
@click.argument("path", metavar="COMPONENT", type=_THERE)
@click.argument("metadata", type=_THERE)
@debug_option
def describe(path: Path, metadata: Path) -> None:
    """Write METADATA, a TOML or JSON file, into a custom section of COMPONENT.

    The component then describes its plugin by itself, with no file beside it.
    """
    from nebula_lab.discovery import read_descriptor
    from nebula_lab.discovery.component import with_metadata
    from nebula_lab.discovery.document import read_document

    changed = with_metadata(path.read_bytes(), read_document(metadata), path)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(changed)
    fresh.replace(path)
    found = read_descriptor(path)
    click.echo(f"{path} is {found.id} {found.version}")
