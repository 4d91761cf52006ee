"""`nebula-plugin-runner`: one operation of one plugin, in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nebula_lab.cli.failing import ExitCode, PluginCommand, debug_option, run_command

if TYPE_CHECKING:
    from nebula_lab.model import PluginDescriptor
    from nebula_lab.plugin.errors import PluginError

_MOST_DIGITS = 10_000  # see nebula_lab.cli.main


class RunnerCommand(PluginCommand):
    """The runner knows one exit code for all that can go wrong with a plugin."""

    def exit_code(self, error: PluginError) -> ExitCode:
        return ExitCode.PLUGIN_FAILED


@click.command(cls=RunnerCommand, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.argument("operation")
@click.argument("params", default="null")
@debug_option
def run_plugin(path: Path, operation: str, params: str) -> None:
    """Run OPERATION of the plugin at PATH and print its result as JSON.

    PATH is a file, a package folder, a notebook or a manifest. PARAMS is a JSON object or null;
    - reads it from standard input. Plugins that it depends on are looked for beside it. What they
    print goes to standard error.

    \b
    Exit codes:
        0  all went well
        1  the plugin failed; standard error says why
        2  wrong usage
      130  interrupted
    """
    from nebula_lab import PluginConfig
    from nebula_lab.cli.opening import open_manager
    from nebula_lab.cli.params import read_object
    from nebula_lab.cli.results import print_result
    from nebula_lab.discovery import read_descriptor
    from nebula_lab.model import Explicit

    values: dict[str, Any] = read_object(params)
    plugin = read_descriptor(path)
    config = PluginConfig(discovery=Explicit(plugins=(plugin, *_needed_by(plugin))))
    with open_manager(config) as plugins:
        print_result(plugins.execute(plugin.id, operation, values))


def _needed_by(plugin: PluginDescriptor) -> list[PluginDescriptor]:
    """The plugins beside this one that it depends on, directly or by way of others."""
    from nebula_lab.discovery import FileSystemDiscoverer

    if not plugin.dependencies:
        return []
    beside = FileSystemDiscoverer(_folder_of(plugin), "*", recursive=False).discover()
    by_id = {found.id: found for found in beside.descriptors if found.id != plugin.id}
    needed: dict[str, PluginDescriptor] = {}
    pending = [dependency.plugin_id for dependency in plugin.dependencies]
    while pending:
        found = by_id.get(pending.pop())
        if found is not None and found.id not in needed:
            needed[found.id] = found
            pending += [dependency.plugin_id for dependency in found.dependencies]
    return list(needed.values())


def _folder_of(plugin: PluginDescriptor) -> Path:
    """The folder that other plugins stand in: a plugin's own folder is not searched."""
    manifest = plugin.declared_in.path if plugin.declared_in else plugin.path
    own = manifest.parent if manifest.name in ("plugin.toml", "plugin.json") else plugin.path
    return own.parent


def main() -> int:
    """The entry point; gives the exit code."""
    sys.set_int_max_str_digits(_MOST_DIGITS)
    return run_command(run_plugin)
