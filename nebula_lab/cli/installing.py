"""`nebula-lab install`, `uninstall`, `search` and `update`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nebula_lab.cli.failing import ExitCode, PluginCommand, debug_option, json_option
from nebula_lab.cli.opening import find_plugins, place_options

if TYPE_CHECKING:
    from nebula_lab import PluginConfig
    from nebula_lab.registry.client.client import Progress
    from nebula_lab.registry.installing.reports import InstallReport

registry_option = click.option(
    "--registry",
    metavar="URL",
    help="Ask this registry alone; without, those under registries in the configuration.",
)
replace_option = click.option(
    "--replace", is_flag=True, help="Put files aside that somebody has edited, and replace them."
)


@click.command("install", cls=PluginCommand)
@place_options
@click.argument("wanted", nargs=-1, required=True, metavar="ID[@VERSION]...")
@registry_option
@replace_option
@json_option
@debug_option
def install(
    plugin_dir: Path | None,
    config_file: Path | None,
    wanted: tuple[str, ...],
    registry: str | None,
    replace: bool,
    as_json: bool,
) -> None:
    """Install plugins from a registry, with what they need.

    counter@1.2.0 is that version, counter@^1.2 and counter@'>=1, <3' are the newest that will do.
    All of it is installed or nothing. Nothing of a plugin runs. Without a folder of plugins, the
    folder plugins is made here.
    """
    from nebula_lab.registry.installing.configured import installation_of
    from nebula_lab.registry.installing.wanted import read_wanted

    words = [read_wanted(word) for word in wanted]
    config = _place(plugin_dir, config_file)
    with _progress() as progress:
        installation = installation_of(
            config, registry=registry, replace=replace, progress=progress
        )
        report = installation.install(words)
    _tell(report, as_json)


@click.command("uninstall", cls=PluginCommand)
@place_options
@click.argument("plugins", nargs=-1, required=True, metavar="ID...")
@click.option("--cascade", is_flag=True, help="Uninstall those that need them too.")
@json_option
@debug_option
def uninstall(
    plugin_dir: Path | None,
    config_file: Path | None,
    plugins: tuple[str, ...],
    cascade: bool,
    as_json: bool,
) -> None:
    """Remove plugins that were installed from a registry, all that are named or none.

    Refused where others need them. Files that somebody has edited are put aside.
    """
    from nebula_lab.cli.installing_documents import uninstall_document
    from nebula_lab.cli.values import to_json
    from nebula_lab.registry.installing.configured import installation_of
    from nebula_lab.registry.installing.removing import uninstall as remove
    from nebula_lab.views import uninstall_view

    config = find_plugins(plugin_dir, config_file)
    with _progress() as progress:
        report = remove(installation_of(config, progress=progress), plugins, cascade=cascade)
    if as_json:
        click.echo(to_json(uninstall_document(report), indent=2))
    else:
        click.echo(uninstall_view(report, "nebula-lab install").text)


@click.command("update", cls=PluginCommand)
@place_options
@click.argument("plugins", nargs=-1, metavar="[ID]...")
@click.option(
    "--check", is_flag=True, help="Change nothing; say what there is, and exit with 3 if anything."
)
@registry_option
@replace_option
@json_option
@debug_option
@click.pass_context
def update(
    context: click.Context,
    plugin_dir: Path | None,
    config_file: Path | None,
    plugins: tuple[str, ...],
    check: bool,
    registry: str | None,
    replace: bool,
    as_json: bool,
) -> None:
    """Bring installed plugins, or those that are named, to the newest versions that will do.

    What will do is what was asked for when they were installed.
    """
    from nebula_lab.cli.installing_documents import update_document
    from nebula_lab.cli.values import to_json
    from nebula_lab.registry.installing import updating
    from nebula_lab.registry.installing.configured import installation_of
    from nebula_lab.views import update_list

    config = find_plugins(plugin_dir, config_file)
    with _progress() as progress:
        installation = installation_of(
            config, registry=registry, replace=replace, progress=progress
        )
        if not check:
            _tell(updating.update(installation, plugins), as_json)
            return
        found = updating.updates(installation, plugins)
    if as_json:
        click.echo(to_json([update_document(one) for one in found], indent=2))
    else:
        click.echo(update_list(found).text)
    due = any(one.is_due for one in found)
    context.exit(ExitCode.PROBLEMS_FOUND if due else ExitCode.FINE)


@click.command("search", cls=PluginCommand)
@place_options
@click.argument("text", nargs=-1)
@registry_option
@json_option
@debug_option
def search(
    plugin_dir: Path | None,
    config_file: Path | None,
    text: tuple[str, ...],
    registry: str | None,
    as_json: bool,
) -> None:
    """Show the plugins of registries that have every word of TEXT; all of them without."""
    from nebula_lab.cli.installing_documents import search_document
    from nebula_lab.cli.values import to_json
    from nebula_lab.registry.installing.configured import registries_of
    from nebula_lab.registry.installing.sources import Sources
    from nebula_lab.views import search_view

    with Sources(registries_of(_place(plugin_dir, config_file), registry)) as sources:
        report = sources.search(" ".join(text))
    if as_json:
        click.echo(to_json(search_document(report), indent=2))
    else:
        click.echo(search_view(report).text)


INSTALLING_COMMANDS = (install, uninstall, update, search)


def _place(plugin_dir: Path | None, config_file: Path | None) -> PluginConfig:
    """The configuration; where there is none, one with the folder `plugins` here."""
    from nebula_lab import PluginConfig
    from nebula_lab.current import PLUGIN_DIR, find_config

    here = Path.cwd()
    if plugin_dir is None and config_file is None and find_config(here) is None:
        return PluginConfig(plugin_dir=here / PLUGIN_DIR)
    return find_plugins(plugin_dir, config_file)


@contextmanager
def _progress() -> Iterator[Progress]:
    """Bars on standard error, for as long as the block runs; a line where somebody is waited for.

    That is said also to whoever reads standard error later, as nothing moves meanwhile.
    """
    from nebula_lab.cli.progress import NoProgress, progress_on_stderr

    display = progress_on_stderr()
    waits: set[str] = set()

    def report(label: str, done: float, total: float, unit: str) -> None:
        if unit == "s" and isinstance(display, NoProgress) and label not in waits:
            waits.add(label)
            click.echo(f"{label}, for {total:g} s at most", err=True)
        display.report(label, done, total, unit)

    try:
        yield report
    finally:
        display.close()


def _tell(report: InstallReport, as_json: bool) -> None:
    from nebula_lab.cli.installing_documents import install_document
    from nebula_lab.cli.values import to_json
    from nebula_lab.views import install_view

    if as_json:
        click.echo(to_json(install_document(report), indent=2))
    else:
        click.echo(install_view(report).text)
