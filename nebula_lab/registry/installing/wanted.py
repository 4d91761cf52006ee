"""What people ask for: `counter`, `counter@1.2.0`, `counter@^1.2`."""

from __future__ import annotations

import semver
from msgspec import Struct
from pydantic import TypeAdapter, ValidationError

from nebula_lab.errors import InstallError, InvalidRequirementError
from nebula_lab.model.descriptor import PluginId
from nebula_lab.model.requirement import VersionReq

__all__ = ["Wanted", "read_wanted"]


class Wanted(Struct, frozen=True):
    """A plugin, and which versions of it will do."""

    id: str
    requirement: VersionReq


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
