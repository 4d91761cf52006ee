"""What a message has where it has a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from nebula_lab.wire.parcel import Delivery, Parcel

if TYPE_CHECKING:
    EncodedValue = msgspec.Raw | Parcel | Delivery
else:
    EncodedValue = msgspec.Raw  # as which msgspec reads it

__all__ = ["EncodedValue"]
