"""Tagged unions in documents, in the forms that people and Rust's serde write.

A variant without fields is its name (`Lazy`). One with fields is a table with its name under
`type` (`{type: Priority, threshold: 5}`) or a table with its name as the only key
(`{Priority: {threshold: 5}}`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pydantic import BaseModel, GetCoreSchemaHandler, ValidationError
from pydantic_core import (
    CoreSchema,
    ErrorDetails,
    InitErrorDetails,
    PydanticCustomError,
    core_schema,
)

from nebula_lab.errors import nearest_names
from nebula_lab.model.rewriting import rewritten, same_line

__all__ = ["OneOf"]


@dataclass(frozen=True)
class OneOf:
    """Annotation of a pydantic field that holds one of several variants.

    Attributes:
        kind: what the set is called in messages, such as "sandbox".
        variants: name to enum member, for a variant without fields, or to model class.
        bare: name to enum member, for a variant whose fields need not be given.
    """

    kind: str
    variants: Mapping[str, Enum | type[BaseModel]]
    bare: Mapping[str, Enum] = field(default_factory=dict)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._read)

    def _read(self, value: Any) -> Any:
        if self._is_variant(value):
            return value
        name, fields, is_nested = self._split(value)
        variant = self.variants.get(name)
        if variant is None:
            raise self._unknown(name)
        if not fields and name in self.bare:
            return self.bare[name]
        if isinstance(variant, type):
            return _build(variant, fields, prefix=(name,) if is_nested else ())
        if fields:
            raise PydanticCustomError(
                "variant_without_fields",
                "the {kind} {name} has no fields, found {keys}",
                {"kind": self.kind, "name": name, "keys": ", ".join(map(str, fields))},
            )
        return variant

    def _is_variant(self, value: Any) -> bool:
        if isinstance(value, Enum):
            return value in self.variants.values() or value in self.bare.values()
        return isinstance(value, BaseModel) and type(value) in self.variants.values()

    def _split(self, value: Any) -> tuple[str, dict[str, Any], bool]:
        """The name, the fields, and whether the fields are nested under the name."""
        if isinstance(value, Enum):
            value = value.value
        if isinstance(value, str):
            return value, {}, False
        if isinstance(value, Mapping):
            if isinstance(value.get("type"), str):
                fields = {key: item for key, item in value.items() if key != "type"}
                return value["type"], fields, False
            if len(value) == 1:
                name, nested = next(iter(value.items()))
                if isinstance(name, str) and (nested is None or isinstance(nested, Mapping)):
                    return name, dict(nested or {}), True
        raise PydanticCustomError(
            "variant_form",
            "expected the name of a {kind} ({names}), or a table with that name under 'type'",
            {"kind": self.kind, "names": ", ".join(self.variants)},
        )

    def _unknown(self, name: str) -> PydanticCustomError:
        nearest = nearest_names(name, self.variants, count=1)
        cure = f"did you mean {nearest[0]!r}?" if nearest else f"known: {', '.join(self.variants)}"
        return PydanticCustomError(
            "unknown_variant",
            "no {kind} is called '{name}'; {cure}",
            {"kind": self.kind, "name": name[:100], "cure": cure},
        )


def _build(variant: type[BaseModel], fields: dict[str, Any], prefix: tuple[str, ...]) -> BaseModel:
    """The variant, with errors placed where the document has the fields."""

    def placed(detail: ErrorDetails) -> InitErrorDetails:
        line = same_line(detail)
        line["loc"] = (*prefix, *detail["loc"])
        return line

    try:
        return variant.model_validate(fields)
    except ValidationError as error:
        if not prefix:
            raise
        raise rewritten(error, placed) from None
