"""The manager that a command works with: which plugins, and where they are looked for."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from nebula_lab import PluginConfig, PluginManager
    from nebula_lab.runtime.output import OutputSink

_LOCKED = "nebula_lab.locked"
Command = TypeVar("Command", bound=Callable[..., Any])


def place_options(command: Command) -> Command:
    """`--plugin-dir`, `--config` and `--locked`."""
    for option in (
        click.option(
            "--locked",
            is_flag=True,
            expose_value=False,
            callback=lambda context, _, on: context.meta.__setitem__(_LOCKED, on),
            help="Refuse plugins that are not as nebula.lock says.",
        ),
        click.option(
            "--config",
            "config_file",
            metavar="FILE",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="The configuration; else the nearest plugin_resource.yaml, .toml or .json at or "
            "above the working folder.",
        ),
        click.option(
            "--plugin-dir",
            metavar="DIR",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            help="Take the plugins in this folder, whatever the configuration says.",
        ),
    ):
        command = option(command)
    return command


def find_plugins(plugin_dir: Path | None, config_file: Path | None) -> PluginConfig:
    """The configuration that the options ask for; without any, the one that a notebook takes.

    Raises:
        ConfigError: the file is wrong.
        UsageError: nothing says where there are plugins.
    """
    from nebula_lab import PluginConfig
    from nebula_lab.current import CONFIG_NAMES, PLUGIN_DIR, find_config
    from nebula_lab.model import FileSystem

    here = Path.cwd()
    if config_file is None and plugin_dir is None:
        config_file = find_config(here)
        plugin_dir = here / PLUGIN_DIR if config_file is None else None
        if plugin_dir is not None and not plugin_dir.is_dir():
            raise click.UsageError(
                f"there are no plugins here: {here} has neither a folder {PLUGIN_DIR} nor "
                f"{CONFIG_NAMES[0]}; say where they are with --plugin-dir or --config"
            )
    config = PluginConfig() if config_file is None else PluginConfig.from_file(config_file)
    if click.get_current_context().meta.get(_LOCKED):
        config = config.model_copy(update={"lock": "locked"})
    if plugin_dir is None:
        return config
    discovery = config.discovery if isinstance(config.discovery, FileSystem) else FileSystem()
    return config.model_copy(update={"plugin_dir": plugin_dir, "discovery": discovery})


def open_manager(
    config: PluginConfig, output: OutputSink | None = None, *, tell: bool = True
) -> PluginManager:
    """A manager that shows what plugins print on standard error.

    Args:
        config: where to look for plugins, and how they run.
        output: shows what they print; standard error, with bars for a person, without.
        tell: say on standard error what of the configuration is not enforced.
    """
    from nebula_lab.cli.progress import progress_on_stderr
    from nebula_lab.cli.terminal import TerminalSink
    from nebula_lab.manager import PluginManager, UnenforcedWarning
    from nebula_lab.views import unenforced_note

    with warnings.catch_warnings():
        # Said below in a form for people, without a line of our source.
        warnings.simplefilter("ignore", UnenforcedWarning)
        manager = PluginManager(config, output=output or TerminalSink(progress_on_stderr()))
    if tell and manager.unenforced:
        click.echo(unenforced_note(manager.unenforced).text, err=True)
    return manager


def for_one_command(config: PluginConfig) -> PluginConfig:
    """The same configuration for a process that soon ends.

    No plugin is loaded before it is asked for, and no file is watched.
    """
    from nebula_lab.model import LoadingStrategy

    return config.model_copy(update={"loading": LoadingStrategy.LAZY, "hot_reload": False})
