"""That a function of a component gave an error; whoever knows of it needs no wasmtime."""

from __future__ import annotations

from typing import Any


class RefusedError(Exception):
    """A function of a component gave an error.

    Attributes:
        said: a text, or something with the fields of a record.
    """

    def __init__(self, said: Any) -> None:
        super().__init__(said)
        self.said = said
