"""`nebula-lab doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nebula_lab.cli.failing import ExitCode, PluginCommand, debug_option, json_option
from nebula_lab.cli.opening import find_plugins, for_one_command, open_manager, place_options

if TYPE_CHECKING:
    from nebula_lab import PluginManager


@click.command("doctor", cls=PluginCommand)
@place_options
@click.argument("plugin", required=False)
@json_option
@debug_option
@click.pass_context
def doctor(
    context: click.Context,
    plugin_dir: Path | None,
    config_file: Path | None,
    plugin: str | None,
    as_json: bool,
) -> None:
    """Try what this machine can enforce, and say what to do about each gap.

    With PLUGIN: say what that plugin may do, what holds it to that here, and what it asks for in
    vain. Exits with 3 if there is something that nothing enforces, or that keeps plugins from
    running; nothing of a plugin runs.
    """
    if plugin is not None:
        is_well, text = _one(plugin_dir, config_file, plugin, as_json)
    else:
        is_well, text = _all(plugin_dir, config_file, as_json)
    click.echo(text)
    context.exit(ExitCode.FINE if is_well else ExitCode.PROBLEMS_FOUND)


def _all(plugin_dir: Path | None, config_file: Path | None, as_json: bool) -> tuple[bool, str]:
    from nebula_lab.cli.doctor_documents import examination_document
    from nebula_lab.cli.values import to_json
    from nebula_lab.doctor.examining import examine
    from nebula_lab.views import examination_view

    found = examine(lambda: _manager(plugin_dir, config_file))
    if as_json:
        return found.is_well, to_json(examination_document(found), indent=2)
    return found.is_well, examination_view(found).text


def _manager(plugin_dir: Path | None, config_file: Path | None) -> PluginManager:
    from nebula_lab import PluginConfig

    try:
        config = find_plugins(plugin_dir, config_file)
    except click.UsageError:  # there are none here, which is no fault of the machine's
        config = PluginConfig()
    return open_manager(for_one_command(config), tell=False)


def _one(
    plugin_dir: Path | None, config_file: Path | None, plugin: str, as_json: bool
) -> tuple[bool, str]:
    from nebula_lab.cli.doctor_documents import policy_document
    from nebula_lab.cli.values import to_json
    from nebula_lab.model.refusals import refusals
    from nebula_lab.views import policy_view

    config = for_one_command(find_plugins(plugin_dir, config_file))
    with open_manager(config, tell=False) as plugins:
        policy = plugins.policy(plugin)
        refused = refusals(plugins.descriptor(plugin), plugins.config)
    strict = config.security.strict
    if as_json:
        document = policy_document(policy, refused, strict=strict)
        return not policy.gaps, to_json(document, indent=2)
    return not policy.gaps, policy_view(policy, refused, strict=strict).text
