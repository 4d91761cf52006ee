"""`python -m nebula_lab.cli.demo DIR`: exits with 0 only if every step did what it says."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from nebula_lab.cli.failing import ExitCode, PluginCommand, debug_option, run_command


@click.command(cls=PluginCommand)
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@debug_option
@click.pass_context
def demo(context: click.Context, directory: Path) -> None:
    """Run the main job on the sample plugins in DIRECTORY and print what happened."""
    # Imported here, where an interrupt ends the demo without a traceback.
    from nebula_lab.cli.demo.performance import perform

    context.exit(ExitCode.FINE if perform(directory) else ExitCode.PLUGIN_FAILED)


if __name__ == "__main__":
    sys.exit(run_command(demo))
