"""Lists of packages as installers read them: `name==version` with the hashes of its files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from nebula_lab.model.lock import LockedPackage

__all__ = ["packages_in", "requirement_list"]

_LINE = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;\\]+)")
_HASH = re.compile(r"--hash=([a-z0-9]+:[0-9a-f]+)")


def packages_in(text: str) -> tuple[LockedPackage, ...]:
    """The packages of a list that uv has written, by name.

    Raises:
        ValueError: a line is of another kind, or has no hash.
    """
    return tuple(sorted(_packages(text), key=lambda one: one.name))


def _packages(text: str) -> Iterator[LockedPackage]:
    for line in text.replace("\\\n", " ").splitlines():
        written = line.split("#", 1)[0].strip()
        if not written:
            continue
        found, hashes = _LINE.match(written), _HASH.findall(written)
        if found is None or not hashes:
            raise ValueError(f"not a package with hashes: {written[:100]}")
        yield LockedPackage(name=found["name"], version=found["version"], hashes=tuple(hashes))


def requirement_list(packages: Iterable[LockedPackage]) -> str:
    """The same as a text to install from.

    Raises:
        ValueError: the text would say something else: names can come from a lock file, which can
            come from anywhere, and a line could be an option.
    """
    wanted = tuple(sorted(packages, key=lambda one: one.name))
    text = "".join(f"{_written(one)}\n" for one in wanted)
    # What one was built from is no part of a list to install from.
    if packages_in(text) != tuple(replace(one, source=None) for one in wanted):
        raise ValueError("a list of packages names what is no package")
    return text


def _written(one: LockedPackage) -> str:
    return " ".join([f"{one.name}=={one.version}", *(f"--hash={each}" for each in one.hashes)])
