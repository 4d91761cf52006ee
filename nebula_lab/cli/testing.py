"""`nebula-lab test`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nebula_lab.cli.failing import ExitCode, PluginCommand, debug_option, json_option
from nebula_lab.cli.opening import for_one_command, open_manager

if TYPE_CHECKING:
    from nebula_lab import PluginConfig
    from nebula_lab.cli.trial import Step
    from nebula_lab.model import PluginDescriptor


@click.command("test", cls=PluginCommand)
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The configuration; else the nearest at or above the working folder, or none.",
)
@click.option(
    "--tests/--no-tests",
    "tests",
    default=None,
    help="Run its own tests, or leave them alone. Without, they are run unless the plugin was "
    "installed from a registry.",
)
@json_option
@debug_option
@click.pass_context
def test_plugin(
    context: click.Context,
    path: Path,
    config_file: Path | None,
    tests: bool | None,
    as_json: bool,
) -> None:
    """Load the plugin at PATH in its sandbox, and try whatever it has to prove itself by.

    That is its health, its self_test, and its state, which a second host has to take; then its
    tests, in its folder `tests` or as test_NAME.py beside it, by pytest. These run as you, and
    nothing confines them: those of a plugin that was installed from a registry are run only with
    --tests, and --no-tests leaves out those of any other stranger.

    Exits with 1 if anything fails.
    """
    from nebula_lab.cli.trial import left_alone, try_plugin, unreadable
    from nebula_lab.cli.values import to_json
    from nebula_lab.discovery import read_descriptor
    from nebula_lab.errors import MetadataLoadError
    from nebula_lab.registry.installing.folder import installed_from

    path = path.absolute()
    try:
        descriptor = read_descriptor(path)
    except MetadataLoadError as error:
        name, steps = path.name, [unreadable(error)]
    else:
        name = descriptor.id
        stranger = installed_from(name, descriptor.path) if tests is None else None
        run_tests = stranger is None if tests is None else tests
        with open_manager(_config_for(path, descriptor, config_file)) as plugins:
            steps = list(try_plugin(plugins, plugins.descriptor(name), tests=run_tests))
        if stranger is not None:
            steps.append(left_alone(descriptor.path, stranger))
    well = all(one.outcome != "failed" for one in steps)
    if as_json:
        click.echo(
            to_json({"plugin_id": name, "passed": well, "steps": _documents(steps)}, indent=2)
        )
    else:
        click.echo(_table(name, steps))
        for said in (one.said for one in steps if one.said):
            click.echo(f"\n{said}", err=True)
    context.exit(ExitCode.FINE if well else ExitCode.PLUGIN_FAILED)


def _config_for(path: Path, descriptor: PluginDescriptor, config_file: Path | None) -> PluginConfig:
    """A configuration that knows the plugin, and what stands beside it, which it may need."""
    from nebula_lab import PluginConfig
    from nebula_lab.current import find_config
    from nebula_lab.discovery import FileSystemDiscoverer
    from nebula_lab.model import Explicit

    config_file = config_file or find_config(Path.cwd())
    config = PluginConfig() if config_file is None else PluginConfig.from_file(config_file)
    beside = FileSystemDiscoverer(path.parent).discover().descriptors
    others = (one for one in beside if one.id != descriptor.id)
    known = Explicit(plugins=(descriptor, *others))
    # It is the files as they are that are tried, whatever was locked.
    changes = {"discovery": known, "lock": "ignore", "plugin_dir": path.parent}
    return for_one_command(config.model_copy(update=changes))


def _documents(steps: list[Step]) -> list[dict[str, object]]:
    return [
        {
            "name": one.name,
            "outcome": one.outcome,
            "detail": one.detail,
            "seconds": round(one.seconds, 3),
            "said": one.said,
        }
        for one in steps
    ]


def _table(name: str, steps: list[Step]) -> str:
    from nebula_lab.views.table import Cell, Column, Table
    from nebula_lab.views.tone import Tone

    tones = {"passed": Tone.GOOD, "failed": Tone.BAD, "none": None}
    return (
        Table(
            caption=f"Test of {name}",
            columns=(Column("step"), Column("outcome"), Column("s", right=True), Column("detail")),
            rows=[
                (
                    one.name,
                    Cell(one.outcome, tones[one.outcome]),
                    f"{one.seconds:.2f}",
                    one.detail,
                )
                for one in steps
            ],
            empty="",
        )
        .rendered()
        .text
    )
