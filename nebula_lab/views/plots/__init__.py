"""Pictures of metrics, by matplotlib; imported when somebody asks for one."""

from __future__ import annotations

from nebula_lab.views.plots.choosing import picture_of
from nebula_lab.views.plots.picture import Picture

__all__ = ["Picture", "picture_of"]
