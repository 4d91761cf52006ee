"""What a host needs in any environment: a Jupyter kernel, and what our messages are packed with."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution

__all__ = ["HOST_REQUIREMENTS", "preferred_versions"]

# As in our own pyproject.toml, which a test holds this against.
HOST_REQUIREMENTS = ("ipykernel>=7.0", "ipython>=9.0", "msgspec>=0.19")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@lru_cache(maxsize=1)  # what the manager has imported does not change any more
def preferred_versions() -> tuple[str, ...]:
    """`name==version` of what a host needs and the manager has, with all that it depends on.

    A resolver takes these where it can: they are what the manager has been tried with. They bind
    nobody, so a plugin may ask for others.
    """
    return tuple(sorted(f"{name}=={version}" for name, version in _installed()))


def _installed() -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    pending = [_name(requirement) for requirement in HOST_REQUIREMENTS]
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        with contextlib.suppress(PackageNotFoundError):  # one for other machines, or an extra
            found = distribution(name)
            yield name, found.version
            pending += [_name(one) for one in found.requires or () if "extra ==" not in one]


def _name(requirement: str) -> str:
    found = _NAME.match(requirement)
    assert found is not None
    return found[0].lower().replace("_", "-")
