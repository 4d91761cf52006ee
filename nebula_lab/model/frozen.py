"""The base of every model: frozen, and strict about keys that it does not know."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from nebula_lab.errors import nearest_names
from nebula_lab.model.rewriting import rewritten, same_line

__all__ = ["FrozenModel", "Flag", "Count"]

# Documents say what they mean: "yes" is not a flag, and `true` is not the number 1.
Flag = Annotated[bool, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=1)]


class FrozenModel(BaseModel):
    """A value that never changes; an unknown key is an error that names the nearest known one."""

    # A configuration has passwords in it, and errors end up in logs and notebooks.
    # What pydantic compiles of a model is compiled when the model is first used.
    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True
    )

    @classmethod
    def by_default(cls) -> Self:
        """The value in which every field is as it is by default.

        A default needs no check, and so the model need not be compiled for it: nine of them would
        have a notebook wait for that before it had anything to be checked.
        """
        return cls.model_construct()

    @classmethod
    def known_keys(cls) -> Collection[str]:
        """The keys that a document may use here."""
        return cls.model_fields

    @model_validator(mode="wrap")
    @classmethod
    def _name_the_nearest_key(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(data)
        except ValidationError as error:
            if not any(map(_is_unknown_key, error.errors())):
                raise
            known = cls.known_keys()
            raise rewritten(error, lambda detail: _with_nearest_key(detail, known)) from None


def _is_unknown_key(detail: ErrorDetails) -> bool:
    """Whether the key stands in this model; deeper ones have been named by their own model."""
    return detail["type"] == "extra_forbidden" and len(detail["loc"]) == 1


def _with_nearest_key(detail: ErrorDetails, known: Collection[str]) -> InitErrorDetails:
    line = same_line(detail)
    if _is_unknown_key(detail):
        line["type"] = _unknown_key(str(detail["loc"][0]), known)
    return line


def _unknown_key(key: str, known: Collection[str]) -> PydanticCustomError:
    nearest = nearest_names(key, known, count=1)
    cure = f"did you mean '{nearest[0]}'?" if nearest else f"known keys: {', '.join(known)}"
    return PydanticCustomError(
        "unknown_key", "unknown key '{key}'; {cure}", {"key": key, "cure": cure}
    )
