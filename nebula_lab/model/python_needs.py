"""The Python environment that a plugin asks for: which interpreter, and what is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from nebula_lab.model.frozen import Flag, FrozenModel

if TYPE_CHECKING:
    from packaging.requirements import Requirement

__all__ = ["PythonNeeds"]

# Written by strangers, and given to a resolver whose work grows with them.
_MOST_DEPENDENCIES = 200
_Text = Annotated[str, StringConstraints(strict=True, max_length=500)]


def _complaint(message: str, **values: str) -> PydanticCustomError:
    # A kind whose message shows the value already.
    return PydanticCustomError("value_error", message, values)


def _checked_range(text: str) -> str:
    """A PEP 440 range of versions, as packaging writes it."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return ",".join(sorted(map(str, SpecifierSet(text))))
    except InvalidSpecifier:
        raise _complaint(
            "'{text}' is not a range of Python versions; write one such as '>=3.11'",
            text=text[:60],
        ) from None


def _checked_dependency(text: str) -> str:
    """A PEP 508 requirement, as packaging writes it.

    Only what the user's own indexes have can be asked for: an address would have the manager
    fetch, for a plugin that may not reach the network, whatever the plugin likes.
    """
    from packaging.requirements import InvalidRequirement

    try:
        requirement = _parsed(text)
        written = str(requirement)
        # A marker may have an escaped line break or quote in it, which is written as it is: the
        # rest of it would be a line of its own to the resolver, such as one that adds an index.
        is_one_line = written.isprintable() and str(_parsed(written)) == written
    except InvalidRequirement as error:
        raise _complaint(
            "'{text}' is not a requirement ({reason}); write one such as 'pandas>=2,<3'",
            text=text[:60],
            reason=str(error).split("\n", 1)[0][:100],
        ) from None
    if not is_one_line:
        raise _complaint(
            "'{text}' has a character in its marker that no environment's name has; leave it out",
            text=text[:60],
        )
    if requirement.url is not None:
        raise _complaint(
            "'{name}' is given by an address; a plugin can only ask for what your package indexes "
            "have, so write a range of versions, such as '{name}>=1,<2'",
            name=requirement.name,
        )
    return written


def _parsed(text: str) -> Requirement:
    from packaging.requirements import Requirement

    return Requirement(text)


class PythonNeeds(FrozenModel):
    """An environment of its own, for a plugin that asks for one.

    Attributes:
        requires: a range of Python versions, as in PEP 440; any that hosts run on without.
        dependencies: what is to be installed, as in PEP 508, each once and in order of their texts.
        allow_source: whether the plugin says that some of it has to be built from source. That
            permits nothing: see `PythonConfig`.
    """

    requires: Annotated[_Text, AfterValidator(_checked_range)] = ""
    dependencies: Annotated[
        tuple[Annotated[_Text, AfterValidator(_checked_dependency)], ...],
        Field(max_length=_MOST_DEPENDENCIES),
    ] = ()
    allow_source: Flag = False

    @model_validator(mode="before")
    @classmethod
    def _by_either_name(cls, data: Any) -> Any:
        """`requires-python` is what inline metadata and pyproject.toml call it."""
        if not isinstance(data, dict) or "requires-python" not in data:
            return data
        if "requires" in data:
            raise _complaint("'requires' and 'requires-python' are the same; keep one of them")
        rest = {key: value for key, value in data.items() if key != "requires-python"}
        return {**rest, "requires": data["requires-python"]}

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        ordered = tuple(sorted(set(self.dependencies)))
        if ordered != self.dependencies:
            object.__setattr__(self, "dependencies", ordered)
        return self

    def in_words(self) -> str:
        """Such as `Python >=3.11 with pandas<3,>=2`."""
        python = f"Python {self.requires}".rstrip()
        return f"{python} with {', '.join(self.dependencies) or 'nothing more'}"
