"""How values show themselves in a notebook: as `nebula_lab.views` draws them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def mime_bundle(self: object, include: Any = None, exclude: Any = None) -> dict[str, Any] | None:
    """What Jupyter asks a value for, to be its `_repr_mimebundle_`: its forms by MIME type.

    None where there are no views, as inside a sandbox: the value is shown by its `repr` there.
    """
    from importlib import import_module

    try:
        # By its name. Views know the values, and not the other way round: whoever only serves
        # never imports a view.
        views = import_module("nebula_lab.views.values")
    except ImportError:
        return None
    return views.bundle_of(self)  # type: ignore[no-any-return]


def pretty_text(self: object, printer: Any, cycle: bool) -> None:
    """Its text, to be its `_repr_pretty_`; within something else, its `repr`.

    IPython asks lists, tuples and errors for this one, since it has ways of its own to write them.
    """
    bundle = None if cycle or len(printer.stack) > 1 else mime_bundle(self)
    printer.text(repr(self) if bundle is None else bundle["text/plain"])


def drawn(value: object, path: Any = None) -> Any:
    """A value as a picture, written to `path` too where one is given; for its `plot`.

    Raises:
        MissingLibraryError: what draws it is not installed.
    """
    from importlib import import_module

    return import_module("nebula_lab.views.plots").picture_of(value, path)
