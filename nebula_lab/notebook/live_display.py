"""Shows a live view where a front end can draw one, and the plain form of it everywhere else."""

from __future__ import annotations

import os
from typing import Any, Literal

from nebula_lab.notebook.session import NotebookSession
from nebula_lab.views import Rendered

Kind = Literal["dashboard", "graph"]
_NO_ANYWIDGET = (
    "This is how things are now; for a view that moves: pip install 'nebula-lab[lab]', then "
    "restart the kernel."
)
_NOT_BUILT = (
    "This is how things are now; the view that moves has not been built in this checkout: run "
    "`make frontend`."
)


def show_live(session: NotebookSession, kind: Kind, twin: Rendered) -> None:
    """Display a view under the cell.

    Args:
        session: the notebook.
        kind: which view.
        twin: its plain form, which goes along for front ends that draw no widgets.
    """
    if not session.is_in_kernel:
        session.show(twin)
        return
    # An export takes the first form that it knows: without this, a script from the network.
    lasting = twin.with_html()
    if runs_by_itself(session.shell):
        session.show(lasting)
        return
    widget, sentence = _widget(session, kind, lasting)
    session.show(twin if widget is None else widget)
    if sentence:
        session.say_once(sentence)


def runs_by_itself(shell: Any) -> bool:
    """Whether a program runs the cell, and what it shows is read later.

    Such programs (nbclient, and so `jupyter nbconvert --execute`, papermill and Quarto) say that
    nobody can be asked for input. They would keep a widget's whole state in the notebook, and an
    export would then show the widget, which has no kernel, in the place of its twin. What Voilà
    runs is a program too, but for somebody who looks.
    """
    if os.environ.get("SERVER_SOFTWARE", "").startswith("voila"):
        return False
    content = (shell.get_parent() or {}).get("content", {})
    return content.get("allow_stdin") is False


def _widget(session: NotebookSession, kind: Kind, twin: Rendered) -> tuple[Any, str]:
    """The widget; or None, and why there is none."""
    try:
        from nebula_lab.notebook import widgets  # a quarter of a second, which its first use costs
    except ModuleNotFoundError as error:
        if error.name not in ("anywidget", "ipywidgets"):
            raise
        return None, _NO_ANYWIDGET
    except FileNotFoundError:
        return None, _NOT_BUILT
    if not widgets.are_built():
        return None, _NOT_BUILT
    kinds = {"dashboard": widgets.DashboardWidget, "graph": widgets.GraphWidget}
    return kinds[kind](session.live, twin), ""
