"""How commands fail: one text for people, one exit code for programs."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from nebula_lab.plugin.errors import PluginError

_DEBUG = "nebula_lab.debug"


class ExitCode(IntEnum):
    """What the exit codes mean."""

    FINE = 0
    PLUGIN_FAILED = 1
    USAGE = 2
    PROBLEMS_FOUND = 3
    TIMED_OUT = 4
    INTERRUPTED = 130


EXIT_CODES = """
\b
Exit codes:
    0  all went well
    1  a plugin failed
    2  wrong usage: no such plugin, operation, file or setting, params that do not fit
    3  a check found something: problems, no good signature, an update, another lock
    4  the time-out passed
  130  interrupted
"""

debug_option = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    callback=lambda context, _, on: context.meta.__setitem__(_DEBUG, on),
    help="Show Python tracebacks of errors too.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for a program.")


class PluginCommand(click.Command):
    """A command that tells of plugin errors as people can use it."""

    def invoke(self, context: click.Context) -> Any:
        from nebula_lab.plugin.errors import PluginError

        try:
            return super().invoke(context)
        except PluginError as error:
            if context.meta.get(_DEBUG):
                from nebula_lab.views.safe_text import prose

                # Errors of Python's parser quote the plugin's source in it.
                click.echo(prose(traceback.format_exc()), err=True)
            _tell(error)
            context.exit(self.exit_code(error))

    def exit_code(self, error: PluginError) -> ExitCode:
        """The exit code for an error; see `EXIT_CODES`."""
        from nebula_lab import errors

        wrong_usage = (
            errors.NotFoundError,
            errors.InvalidParamsError,
            errors.ConfigError,
            errors.DiscoveryError,
            errors.LockError,
            errors.SshKeyError,
        )
        if isinstance(error, errors.LockMismatchError):
            return ExitCode.PROBLEMS_FOUND
        if isinstance(error, wrong_usage):
            return ExitCode.USAGE
        if isinstance(error, errors.PluginTimeoutError | errors.ChoosingTimeoutError):
            return ExitCode.TIMED_OUT
        return ExitCode.PLUGIN_FAILED


def _tell(error: PluginError) -> None:
    from nebula_lab.views import error_box

    click.echo(error_box(error).text, err=True)


def run_command(command: click.Command, arguments: Sequence[str] | None = None) -> int:
    """Run a command to its exit code; an interrupt ends it without a traceback.

    Args:
        command: the command.
        arguments: the words after its name; those of the process without.
    """
    try:
        result = command.main(arguments, standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return ExitCode.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    finally:
        sys.stdout.flush()
    return result if isinstance(result, int) else ExitCode.FINE
