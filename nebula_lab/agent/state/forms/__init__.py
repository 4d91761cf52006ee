"""Which values are kept, and how: one table by type, one by tag."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nebula_lab.agent.state.forms.base import Form
from nebula_lab.agent.state.forms.classes import FLAG, MEMBER, RECORD, ROW, form_for_class
from nebula_lab.agent.state.forms.containers import CONTAINERS
from nebula_lab.agent.state.forms.foreign import FOREIGN, is_foreign
from nebula_lab.agent.state.forms.scalars import SCALARS

FORMS: Mapping[str, Form] = MappingProxyType(
    {
        form.tag: form
        for form in (*CONTAINERS.values(), *SCALARS.values(), MEMBER, FLAG, RECORD, ROW, FOREIGN)
    }
)


def form_for(value: Any) -> Form | None:
    """What keeps a value, or None; subclasses of what is kept are not, unless they say so."""
    kind = type(value)
    return (
        CONTAINERS.get(kind)
        or SCALARS.get(f"{kind.__module__}.{kind.__qualname__}")
        or (FOREIGN if is_foreign(kind) else form_for_class(kind))
    )
