"""Arguments of a subcommand: argparse, which must not end the kernel."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from typing import NoReturn

from IPython.core.error import UsageError

WIDTH = 88
HELP_FLAGS = frozenset({"-h", "--help"})


class CommandParser(argparse.ArgumentParser):
    """Says what is wrong with a UsageError, where argparse would exit."""

    def __init__(self, command: str, description: str) -> None:
        super().__init__(
            prog=f"%plugin {command}",
            description=description,
            add_help=False,
            allow_abbrev=False,
            # Not as wide as the terminal happens to be, since notebooks keep what is printed.
            formatter_class=lambda prog: argparse.HelpFormatter(prog, width=WIDTH),
        )
        self._usage_line = ""
        self.add_argument("-h", "--help", action="store_true", help="show this text")

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        """The arguments, with options anywhere among them.

        Raises:
            UsageError: they are wrong.
        """
        # While it parses, argparse keeps its usage as a template, for which a % is no plain text.
        self._usage_line = self.format_usage().strip()
        return self.parse_intermixed_args(words)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}\n{self._usage_line}")


def seconds(text: str) -> float:
    """A positive number of seconds, for argparse."""
    value = float(text.removesuffix("s"))
    if not (value > 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number of seconds")
    return value


def count(text: str) -> int:
    """A positive whole number, for argparse."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value
