"""`nebula-lab`: the manager for a terminal and for CI."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from nebula_lab import __version__
from nebula_lab.cli.benching import bench
from nebula_lab.cli.component import component
from nebula_lab.cli.creating import new
from nebula_lab.cli.doctoring import doctor
from nebula_lab.cli.environments import environments
from nebula_lab.cli.failing import (
    EXIT_CODES,
    ExitCode,
    PluginCommand,
    debug_option,
    json_option,
    run_command,
)
from nebula_lab.cli.images import images
from nebula_lab.cli.installing import INSTALLING_COMMANDS
from nebula_lab.cli.laboratory import lab
from nebula_lab.cli.locking import LOCKING_COMMANDS
from nebula_lab.cli.opening import find_plugins, for_one_command, open_manager, place_options
from nebula_lab.cli.registry import registry
from nebula_lab.cli.signing import SIGNING_COMMANDS
from nebula_lab.cli.testing import test_plugin

# The largest integer that crosses a sandbox has 4096 bytes, and so 9,865 digits.
_MOST_DIGITS = 10_000
_RUN_HELP = """
Params are name=value words or JSON objects; - reads an object from standard input. A value is
text where the operation takes text, and else JSON; @FILE is the content of a file, @@ a plain @.

The result is printed as JSON, of a stream each item on a line. Bytes are {"$bytes": BASE64}, NaN
and the infinities {"$float": "NaN"}, datetimes text in ISO 8601, in params as well. What the
plugin prints goes to standard error.
"""


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="nebula-lab")
def cli() -> None:
    """Look at plugins, check them and run their operations, each in a kernel of its own."""


@cli.command("list", cls=PluginCommand)
@place_options
@click.option("--load", is_flag=True, help="Load each plugin, to see whether it comes up.")
@json_option
@debug_option
@click.pass_context
def list_command(
    context: click.Context,
    plugin_dir: Path | None,
    config_file: Path | None,
    load: bool,
    as_json: bool,
) -> None:
    """Show the plugins that were found; nothing of them runs, unless --load says so."""
    from nebula_lab.cli.documents import plugin_document
    from nebula_lab.cli.looking import left_out, load_all, with_reasons
    from nebula_lab.cli.values import to_json
    from nebula_lab.views import plugin_list, problem_count

    config = for_one_command(find_plugins(plugin_dir, config_file))
    with open_manager(config) as plugins:
        well = load_all(plugins) if load else True
        found, reasons = plugins.list_plugins(), left_out(plugins)
        problems = plugins.problems
    if as_json:
        documents = [plugin_document(info, reasons.get(info.id)) for info in found]
        click.echo(to_json(documents, indent=2))
    else:
        click.echo(plugin_list(with_reasons(found, reasons)).text)
    if problems:
        click.echo(f"{problem_count(problems)}: `nebula-lab check` shows them", err=True)
    context.exit(ExitCode.FINE if well else ExitCode.PLUGIN_FAILED)


@cli.command("run", cls=PluginCommand, help=f"Run one operation of a plugin.\n{_RUN_HELP}")
@place_options
@click.argument("plugin")
@click.argument("operation")
@click.argument("params", nargs=-1)
@click.option("--timeout", metavar="TIME", help="Such as 5, 500ms or 2m, once the plugin is up.")
@click.option("--raw", is_flag=True, help="Write text and bytes as they are, not as JSON.")
@debug_option
def run_operation(
    plugin_dir: Path | None,
    config_file: Path | None,
    plugin: str,
    operation: str,
    params: tuple[str, ...],
    timeout: str | None,
    raw: bool,
) -> None:
    from nebula_lab.cli.params import params_from, read_words
    from nebula_lab.cli.results import print_result

    limit = read_timeout(timeout)
    words = read_words(params)
    with open_manager(for_one_command(find_plugins(plugin_dir, config_file))) as plugins:
        known = plugins.operations(plugin).get(operation)
        values = params_from(words, known.params.properties if known else {})
        print_result(plugins.execute(plugin, operation, values, timeout=limit), raw=raw)


@cli.command("graph", cls=PluginCommand)
@place_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["mermaid", "text", "dot", "json"]),
    default="mermaid",
    show_default=True,
    help="What to print.",
)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@debug_option
def graph(plugin_dir: Path | None, config_file: Path | None, form: str) -> None:
    """Print the graph of plugins and dependencies, with cycles marked."""
    from nebula_lab.cli.looking import draw

    with open_manager(
        for_one_command(find_plugins(plugin_dir, config_file)), tell=False
    ) as plugins:
        drawn = draw(plugins, form)
    if drawn is None:
        raise click.UsageError("the graph is larger than Mermaid draws; take --format dot or text")
    click.echo(drawn)


@cli.command("check", cls=PluginCommand)
@place_options
@click.argument(
    "directory",
    required=False,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@json_option
@debug_option
@click.pass_context
def check(
    context: click.Context,
    plugin_dir: Path | None,
    config_file: Path | None,
    directory: Path | None,
    as_json: bool,
) -> None:
    """Print everything that keeps plugins from being loaded, and exit with 3 if there is any.

    DIRECTORY is the same as --plugin-dir. Cycles, conflicts, missing dependencies, metadata that
    can't be read and sources that do not compile are found without running anything. Rights that
    are asked for in vain, or are wide, are noted.
    """
    from nebula_lab.cli.documents import problem_document
    from nebula_lab.cli.looking import all_problems
    from nebula_lab.cli.values import to_json
    from nebula_lab.views import problem_list

    if directory is not None and plugin_dir is not None:
        raise click.UsageError("say DIRECTORY or --plugin-dir, not both")
    config = for_one_command(find_plugins(directory or plugin_dir, config_file))
    with open_manager(config, tell=False) as plugins:
        problems, count = all_problems(plugins), len(plugins)
    if as_json:
        documents = [problem_document(problem) for problem in problems]
        click.echo(to_json({"plugins": count, "problems": documents}, indent=2))
    else:
        click.echo(f"{count} plugin{'' if count == 1 else 's'} checked.")
        click.echo(problem_list(problems).text)
    wrong = any(problem.severity == "error" for problem in problems)
    context.exit(ExitCode.PROBLEMS_FOUND if wrong else ExitCode.FINE)


for command in (
    *SIGNING_COMMANDS,
    *LOCKING_COMMANDS,
    *INSTALLING_COMMANDS,
    component,
    doctor,
    environments,
    images,
    registry,
    new,
    test_plugin,
    bench,
    lab,
):
    cli.add_command(command)


def read_timeout(text: str | None) -> float | None:
    """Seconds above 0, from text such as `5` or `500ms`.

    Raises:
        BadParameter: it is no such text.
    """
    from nebula_lab.model import parse_seconds

    if text is None:
        return None
    try:
        seconds = parse_seconds(float(text) if text.replace(".", "", 1).isdigit() else text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--timeout") from None
    if seconds == 0:
        raise click.BadParameter("must be above 0", param_hint="--timeout")
    return seconds


def main() -> int:
    """The entry point; gives the exit code."""
    sys.set_int_max_str_digits(_MOST_DIGITS)
    return run_command(cli)
