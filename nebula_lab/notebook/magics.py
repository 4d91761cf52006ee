"""The magics; they parse and delegate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_cell_magic, magics_class, no_var_expand

from nebula_lab.notebook.session import NotebookSession

LINE_NAMES = ("plugin",)
CELL_NAMES = ("plugin", "in")


@magics_class
class PluginMagics(Magics):
    """`%plugin`, `%%plugin` and `%%in`.

    Args:
        session: the notebook that they work in.

    Attributes:
        uninstall: takes them out of the shell, with all else that came with them.
    """

    def __init__(self, session: NotebookSession, uninstall: Callable[[], None]) -> None:
        super().__init__(session.shell)
        self._session = session
        self.uninstall = uninstall

    # JSON on the line is full of braces, which IPython would take for its own.
    @no_var_expand
    @line_cell_magic
    def plugin(self, line: str, cell: str | None = None) -> Any:
        """Work with plugins: `%plugin help` lists what there is.

        As a cell magic, `%%plugin ID` writes the cell as that plugin's source and loads it, or
        reloads it with its state. If the new code is broken, the old goes on serving.
        """
        # With the first magic that is run, and not while the notebook waits for the extension.
        from nebula_lab.notebook.authoring import write_plugin
        from nebula_lab.notebook.commands import run_line

        if cell is None:
            return run_line(self._session, line)
        write_plugin(self._session, _one_id("plugin", line), cell)
        return None

    @no_var_expand
    @cell_magic("in")
    def in_plugin(self, line: str, cell: str) -> None:
        """Run the cell in the kernel of the plugin that is named, as `%%in ID`.

        The names `plugin` and `module` are the running plugin and its module there.
        """
        self._session.manager.run_cell(_one_id("in", line), cell)


def _one_id(magic: str, line: str) -> str:
    words = line.split()
    if len(words) != 1 or words[0] in ("-h", "--help"):
        from nebula_lab.notebook.commands import overview

        raise UsageError(f"%%{magic} takes one plugin id: %%{magic} ID\n{overview()}")
    return words[0]
