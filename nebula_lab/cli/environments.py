"""`nebula-lab env`: the Python environments that plugins ask for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nebula_lab.cli.failing import ExitCode, PluginCommand, debug_option, json_option
from nebula_lab.cli.opening import find_plugins, for_one_command, open_manager, place_options

if TYPE_CHECKING:
    from nebula_lab.environments.upkeep import KeptEnvironment, Removed


@click.group("env")
def environments() -> None:
    """The Python environments that plugins ask for: build, list and remove them."""


@environments.command("list", cls=PluginCommand)
@json_option
@debug_option
def list_environments(as_json: bool) -> None:
    """Show the environments that are kept, the ones that were used last first."""
    from nebula_lab.cli.values import to_json
    from nebula_lab.environments.cache_layout import CacheLayout, cache_root
    from nebula_lab.environments.upkeep import kept_environments
    from nebula_lab.views.environments import environment_list

    found = kept_environments(CacheLayout(cache_root()))
    if as_json:
        click.echo(to_json([_document(one) for one in found], indent=2))
    else:
        click.echo(environment_list(found).text)


def _document(one: KeptEnvironment) -> dict[str, Any]:
    return {
        "key": one.key,
        "path": str(one.path),
        "python": one.python,
        "packages": list(one.packages),
        "plugins": list(one.plugins),
        "size": one.size,
        "used_at": one.used_at,
        "in_use": one.is_in_use,
    }


@environments.command("build", cls=PluginCommand)
@place_options
@click.argument("plugins", nargs=-1)
@debug_option
def build_environments(
    plugin_dir: Path | None, config_file: Path | None, plugins: tuple[str, ...]
) -> None:
    """Build the environments of PLUGINS, or of all, so that no load has to wait for one."""
    config = for_one_command(find_plugins(plugin_dir, config_file))
    with open_manager(config, tell=False) as manager:
        for plugin_id in plugins or tuple(manager):
            found = manager.build_environment(plugin_id)
            if found is not None:
                click.echo(f"{plugin_id}: {found}")
            elif plugins:
                click.echo(f"{plugin_id}: asks for none, and runs in the manager's own")


@environments.command("path", cls=PluginCommand)
@place_options
@click.argument("plugin")
@debug_option
@click.pass_context
def environment_path(
    context: click.Context, plugin_dir: Path | None, config_file: Path | None, plugin: str
) -> None:
    """Print the folder of PLUGIN's environment, built now if need be.

    Exits with 3 if it asks for none. Do not run what is in there by hand: nothing confines it then.
    """
    config = for_one_command(find_plugins(plugin_dir, config_file))
    with open_manager(config, tell=False) as manager:
        found = _had(context, plugin, manager.build_environment(plugin))
    click.echo(found)


@environments.command("show", cls=PluginCommand)
@place_options
@click.argument("plugin")
@json_option
@debug_option
@click.pass_context
def show_environment(
    context: click.Context,
    plugin_dir: Path | None,
    config_file: Path | None,
    plugin: str,
    as_json: bool,
) -> None:
    """Show what is installed for PLUGIN; its environment is built now if need be.

    Exits with 3 if it asks for none.
    """
    from nebula_lab.cli.values import to_json
    from nebula_lab.environments.cache_layout import CacheLayout, cache_root
    from nebula_lab.environments.upkeep import kept_environment
    from nebula_lab.views.environments import environment_details

    config = for_one_command(find_plugins(plugin_dir, config_file))
    with open_manager(config, tell=False) as manager:
        path = _had(context, plugin, manager.build_environment(plugin))
    # Looked at once this command does not have it any more.
    one = kept_environment(CacheLayout(cache_root()), path.name)
    click.echo(to_json(_document(one), indent=2) if as_json else environment_details(one).text)


@environments.command("rebuild", cls=PluginCommand)
@place_options
@click.argument("plugin")
@debug_option
@click.pass_context
def rebuild_environment(
    context: click.Context, plugin_dir: Path | None, config_file: Path | None, plugin: str
) -> None:
    """Remove PLUGIN's environment, and build it again of the same packages.

    `nebula-lab lock --upgrade` chooses other packages. One that is in use is left as it is. Exits
    with 3 if it asks for none.
    """
    config = for_one_command(find_plugins(plugin_dir, config_file))
    with open_manager(config, tell=False) as manager:
        found = _had(context, plugin, manager.build_environment(plugin, anew=True))
    click.echo(f"{plugin}: {found}")


def _had(context: click.Context, plugin: str, found: Path | None) -> Path:
    """The environment of a plugin, or the end of the command where it asks for none."""
    if found is None:
        click.echo(f"{plugin} asks for none, and runs in the manager's own", err=True)
        context.exit(ExitCode.PROBLEMS_FOUND)
    return found


@environments.command("gc", cls=PluginCommand)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="All that no manager has just now, whoever asks for them.",
)
@click.option(
    "--older-than",
    metavar="TIME",
    default="30d",
    show_default=True,
    help="Those that no manager has taken for so long, such as 12h or 7d.",
)
@json_option
@debug_option
def collect_environments(everything: bool, older_than: str, as_json: bool) -> None:
    """Remove environments that nobody uses; a plugin that needs one again has it built again.

    One that a plugin of yours still asks for, or a lock file names, stays however old it is.
    """
    from nebula_lab.cli.values import to_json
    from nebula_lab.environments.cache_layout import CacheLayout, cache_root
    from nebula_lab.environments.upkeep import remove_unused
    from nebula_lab.runtime.environment_needs import asks_still
    from nebula_lab.views.environments import removed_in_words

    layout = CacheLayout(cache_root())
    try:
        if everything:
            removed = remove_unused(layout, 0.0)
        else:
            removed = remove_unused(layout, _seconds(older_than), asks_still)
    except OSError as error:
        raise click.ClickException(f"the environments can't be removed: {error}") from error
    click.echo(to_json(_outcome(removed), indent=2) if as_json else removed_in_words(removed))


def _outcome(removed: Removed) -> dict[str, Any]:
    kept = {
        key: [{"id": one.plugin_id, "path": one.path} for one in users]
        for key, users in removed.wanted.items()
    }
    return {"removed": removed.environments, "bytes": removed.size, "kept": kept}


def _seconds(text: str) -> float:
    from nebula_lab.model import parse_seconds

    try:
        if text.endswith("d"):
            return float(text[:-1]) * 86_400
        return parse_seconds(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--older-than") from None
