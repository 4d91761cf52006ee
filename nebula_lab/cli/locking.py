"""`nebula-lab lock` and `nebula-lab why`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nebula_lab.cli.failing import ExitCode, PluginCommand, debug_option, json_option
from nebula_lab.cli.opening import find_plugins, for_one_command, open_manager, place_options

if TYPE_CHECKING:
    from nebula_lab.model import Problem
    from nebula_lab.runtime.locking import Relocked


@click.command("lock", cls=PluginCommand)
@place_options
@click.argument("plugins", nargs=-1)
@click.option(
    "--upgrade",
    is_flag=True,
    help="Choose PLUGINS anew, the newest that fit; all of them, where none is named.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 3 if it would change.")
@debug_option
@click.pass_context
def lock(
    context: click.Context,
    plugin_dir: Path | None,
    config_file: Path | None,
    plugins: tuple[str, ...],
    upgrade: bool,
    check: bool,
) -> None:
    """Write down in nebula.lock exactly which plugins these are.

    It is beside the configuration, or beside the plugin folder where there is none. With --locked,
    every command then refuses what is not as it was locked. Versions that are locked stay, where
    they still fit, unless --upgrade says otherwise.
    """
    from nebula_lab.runtime.locking import relock

    if plugins and not upgrade:
        raise click.UsageError("plugins are named for --upgrade only")
    chosen = None if upgrade and not plugins else plugins
    config = for_one_command(find_plugins(plugin_dir, config_file))
    done = relock(config, chosen, write=not check)
    for line in done.changes:
        click.echo(line)
    _tell_of_problems("Not locked", done.left_out)
    _tell_of_problems("Locked, though it can't be used as it is", done.unusable)
    if check:
        _tell_of_check(done)
        context.exit(ExitCode.FINE if done.is_current else ExitCode.PROBLEMS_FOUND)
    if done.changes:
        click.echo(f"Wrote {done.path}.")
    else:
        click.echo("There are no plugins to lock." if done.is_empty else _up_to_date(done))


def _tell_of_problems(head: str, problems: Sequence[Problem]) -> None:
    from nebula_lab.views import problem_list

    if problems:
        click.echo(f"{head}:\n{problem_list(problems).text}", err=True)


def _tell_of_check(done: Relocked) -> None:
    if done.changes:
        click.echo(f"{done.path} is not up to date: nebula-lab lock", err=True)
    elif done.is_empty:
        click.echo("There are no plugins to lock.")
    else:
        click.echo(_up_to_date(done))


def _up_to_date(done: Relocked) -> str:
    return f"{done.path} is up to date."


@click.command("why", cls=PluginCommand)
@place_options
@click.argument("plugin")
@json_option
@debug_option
def why(plugin_dir: Path | None, config_file: Path | None, plugin: str, as_json: bool) -> None:
    """Say why PLUGIN is used in the version that it is, and not in a newer one."""
    from nebula_lab.cli.documents import reasons_document
    from nebula_lab.cli.values import to_json
    from nebula_lab.views import reasons_view

    config = for_one_command(find_plugins(plugin_dir, config_file))
    with open_manager(config, tell=False) as plugins:
        reasons = plugins.version_reasons(plugin)
    click.echo(
        to_json(reasons_document(reasons), indent=2) if as_json else reasons_view(reasons).text
    )


LOCKING_COMMANDS = (lock, why)
