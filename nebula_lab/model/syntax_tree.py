"""The syntax tree of a plugin's source, for whoever reads it without running it."""

from __future__ import annotations

import ast
import os
import threading
import warnings

__all__ = ["syntax_tree"]

# Python 3.11 counts the depth of a tree for all threads together, and raises a SystemError where
# two of them parse at the same time; and warnings are turned off for all threads, and on again.
_parsing = threading.Lock()


def _renew() -> None:
    global _parsing  # a thread that is not here may have held the other
    _parsing = threading.Lock()


os.register_at_fork(after_in_child=_renew)


def syntax_tree(content: bytes | str) -> ast.Module:
    """Parse a source, and say nothing of odd escapes and literals: they matter to who runs it.

    Raises:
        SyntaxError, ValueError: it is no Python.
        RecursionError, MemoryError: it is nested too deeply.
    """
    with _parsing, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(content)
