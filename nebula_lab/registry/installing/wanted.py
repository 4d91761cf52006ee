"""What people ask for: `counter`, `counter@1.2.0`, `counter@^1.2`."""

from __future__ import annotations

from collections.abc import Iterable

import semver
from msgspec import Struct
from pydantic import TypeAdapter, ValidationError

from nebula_lab.errors import InstallError, InvalidRequirementError
from nebula_lab.model.descriptor import PluginId
from nebula_lab.model.requirement import VersionReq

__all__ = ["Wanted", "read_wanted", "together"]


class Wanted(Struct, frozen=True):
    """A plugin, and which versions of it will do."""

    id: str
    requirement: VersionReq

    @property
    def is_any(self) -> bool:
        """Whether any version will do."""
        return not self.requirement.comparators


def read_wanted(text: str) -> Wanted:
    """What a word asks for; a whole version is meant as it stands, anything else as a requirement.

    Raises:
        InstallError: it is no id, or what follows it is no requirement.
    """
    plugin_id, _, requirement = text.strip().partition("@")
    try:
        TypeAdapter(PluginId).validate_python(plugin_id)
        return Wanted(plugin_id, VersionReq.parse(_meant(requirement.strip())))
    except ValidationError:
        raise InstallError(
            f"{plugin_id[:100]!r} is not the id of a plugin",
            hint="Write such as counter, counter@1.2.0 or counter@'>=1, <3'.",
        ) from None
    except InvalidRequirementError as error:
        raise InstallError(
            f"what is asked of it is no requirement: {error.headline()}",
            plugin_id=plugin_id,
            hint="Write such as counter@1.2.0, counter@^1.2 or counter@'>=1, <3'.",
        ) from None


def _meant(requirement: str) -> str:
    return f"={requirement}" if semver.Version.is_valid(requirement) else requirement or "*"


def together(wanted: Iterable[Wanted]) -> list[Wanted]:
    """The same, each plugin once: what is asked of it twice has to hold both times.

    Raises:
        InstallError: no version can do for all that is asked of one plugin.
    """
    asked: dict[str, dict[str, Wanted]] = {}
    for one in wanted:
        asked.setdefault(one.id, {}).setdefault(str(one.requirement), one)
    return [_joined(plugin_id, list(each.values())) for plugin_id, each in asked.items()]


def _joined(plugin_id: str, asked: list[Wanted]) -> Wanted:
    narrowing = [one for one in asked if not one.is_any] or asked[:1]
    if len(narrowing) == 1:
        return narrowing[0]
    texts = [str(one.requirement) for one in narrowing]
    try:
        requirement = VersionReq.parse(", ".join(texts))
    except InvalidRequirementError as error:
        raise InstallError(
            f"what is asked of it can't be put together: {error.message}",
            plugin_id=plugin_id,
            hint="Ask for it once.",
        ) from None
    if not _can_be_met(requirement):
        raise InstallError(
            f"it is asked for as {' and as '.join(texts)}, and no version can be both",
            plugin_id=plugin_id,
            hint="Ask for one of these: a plugin is there in one version.",
        )
    return Wanted(plugin_id, requirement)


def _can_be_met(requirement: VersionReq) -> bool:
    exact = [one for one in requirement.comparators if one.prerelease]
    # Of pre-releases only the versions that there are can tell.
    return requirement.accepts_any_release or bool(exact)
