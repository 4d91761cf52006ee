"""Plugin errors in a notebook: a short box with the plugin's own traceback instead of ours.

In a terminal the text of the box is the error's.
"""

from __future__ import annotations

import linecache
import sys
import traceback
from types import TracebackType
from typing import Any

from nebula_lab.errors import PluginError
from nebula_lab.views.safe_text import line

# What IPython makes of a magic; people never wrote that line.
_MAGIC_CALLS = ("run_line_magic(", "run_cell_magic(")


class ErrorDisplay:
    """Shows errors of plugins, and leaves all others to whoever showed them before.

    Args:
        shell: the `InteractiveShell`.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._former = (shell.custom_exceptions, shell.CustomTB)
        shell.set_custom_exc((PluginError, *shell.custom_exceptions), self._handle)
        self._own = shell.CustomTB

    def remove(self) -> None:
        """Put back what was there before, unless someone else has taken the place since."""
        if self._shell.CustomTB is self._own:
            self._shell.custom_exceptions, self._shell.CustomTB = self._former

    def _handle(
        self,
        shell: Any,
        kind: type[BaseException],
        error: BaseException,
        frames: TracebackType | None,
        tb_offset: int | None = None,
    ) -> Any:
        if not isinstance(error, PluginError):
            return self._former[1](kind, error, frames, tb_offset=tb_offset)
        from nebula_lab.views import error_box, error_brief  # with the first mishap

        # For %tb and %debug, which show it in full.
        sys.last_type, sys.last_value, sys.last_traceback = kind, error, frames
        box = error_box(error, called_from=call_site(shell, frames))
        name = kind.__name__
        shown = box.text.removeprefix(name)
        if getattr(shell, "kernel", None) is not None:
            # A front end has the box. What is an error to programs, and so ends up in logs of
            # notebooks that nobody looks at, is beside it in a few words.
            shell.display_pub.publish(box.mime_bundle())
            shown = f": {error_brief(error)}"
        heading = name if shell.colors.lower() == "nocolor" else f"\x1b[31m{name}\x1b[0m"
        lines = f"{heading}{shown}".splitlines()
        # The text beside it goes into the notebook file: one line, and clean.
        shell._showtraceback(kind, line(error.message or name), lines)
        return lines


def call_site(shell: Any, frames: TracebackType | None) -> str:
    """The innermost line of the user's own code, in a cell if there is one.

    Returns:
        Such as `Cell In[3], line 2` with the line of source below it; empty when no code of
        theirs is on the stack.
    """
    found = ""
    for frame, number in traceback.walk_tb(frames):
        filename = frame.f_code.co_filename
        cell = shell.compile.format_code_name(filename)
        if cell is not None:
            found = _with_source(f"{' '.join(cell)}, line {number}", filename, number)
    return found


def _with_source(place: str, filename: str, number: int) -> str:
    source = linecache.getline(filename, number).strip()
    if not source or any(call in source for call in _MAGIC_CALLS):
        return place
    return f"{place}\n  {line(source)}"
