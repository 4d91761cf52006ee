"""What the user lets the environments of plugins be made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from nebula_lab.model.frozen import Flag, FrozenModel

__all__ = ["PythonConfig"]


def _normal(name: str) -> str:
    """A package's name as indexes write it, such as `my-package`."""
    from packaging.utils import InvalidName, canonicalize_name

    try:
        return canonicalize_name(name, validate=True)
    except InvalidName:
        raise ValueError(f"{name[:60]!r} is not the name of a package") from None


_PackageName = Annotated[str, Field(strict=True, max_length=200), AfterValidator(_normal)]


class PythonConfig(FrozenModel):
    """Settings of environments that only the user has a say in.

    Attributes:
        allow_source: packages that are there without a wheel may be built from source, in a
            sandbox; with names, those alone.
    """

    allow_source: Flag | tuple[_PackageName, ...] = False

    def may_build(self, name: str) -> bool:
        """Whether a package, by its normalised name, may be built from source."""
        if isinstance(self.allow_source, bool):
            return self.allow_source
        return name in self.allow_source
