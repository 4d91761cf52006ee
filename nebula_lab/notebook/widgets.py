"""The dashboard and the graph as widgets; imported when one is shown.

What they draw is TypeScript in `extensions/`, built into `static/`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget

from nebula_lab.live.pages import Pages
from nebula_lab.notebook.live_session import NotebookLive, release_subshell
from nebula_lab.views import Rendered

STATIC = Path(__file__).parent / "static"


class LiveWidget(anywidget.AnyWidget):
    """A live view; where no front end draws it, its twin stands.

    Args:
        live: what it is connected to.
        twin: the same at this moment, for front ends without widgets and for exported notebooks.
    """

    _css = STATIC / "widgets.css"

    def __init__(self, live: NotebookLive, twin: Rendered) -> None:
        super().__init__()
        release_subshell(self.comm)
        self._twin = twin
        self._pages = Pages(live.open, self.send)
        self.on_msg(self._receive)

    def _receive(self, _: Any, content: Any, buffers: Any) -> None:
        self._pages.receive(content)

    def close(self) -> None:
        """Disconnect, and take it off the page."""
        self._pages.close()
        super().close()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        found = super()._repr_mimebundle_(**kwargs)
        bundle, metadata = found if isinstance(found, tuple) else (found, {})
        return {**(bundle or {}), **self._twin.mime_bundle()}, metadata


class DashboardWidget(LiveWidget):
    """Every plugin, with what can be done with it."""

    _esm = STATIC / "dashboard.js"


class GraphWidget(LiveWidget):
    """Plugins and their dependencies."""

    _esm = STATIC / "graph.js"


def are_built() -> bool:
    """Whether there is something to draw with."""
    return all((STATIC / name).is_file() for name in ("dashboard.js", "graph.js", "widgets.css"))
