"""The component: what `wit/plugin.wit` exports, in terms of `Residence`.

`wit_world` and `componentize_py_types` are made by componentize-py when the component is built.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import wit_world  # type: ignore[import-not-found]
from componentize_py_types import Err  # type: ignore[import-not-found]
from wit_world.imports import host  # type: ignore[import-not-found]

from nebula_lab.guest import event_loop, modules
from nebula_lab.guest.line import connect
from nebula_lab.guest.residence import Residence

modules.import_all()
event_loop.use_everywhere(lambda seconds: time.sleep(seconds))
_residence: Residence | None = None


def _there() -> Residence:
    # Made when it is first needed: while the component is built, there is no host to talk to.
    global _residence
    if _residence is None:
        connect(host)
        _residence = Residence(host, Err)
    return _residence


class WitWorld(wit_world.WitWorld):  # type: ignore[misc]
    """What the world exports."""

    def start(self, request: str) -> str:
        return _told(lambda there: there.start(request))

    def perform(self, kind: str, operation: str, params: str) -> str:
        return _told(lambda there: there.perform(kind, operation, params))

    def next_item(self, number: int) -> str:
        return _told(lambda there: there.next_item(number))

    def close_stream(self, number: int) -> str:
        return _told(lambda there: there.close_stream(number))


def _told(work: Callable[[Residence], str]) -> str:
    """Do something; whatever it raises is told as an error of the function's result."""
    there = _there()
    try:
        return work(there)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the host is told
        raise Err(there.failure(error)) from None
