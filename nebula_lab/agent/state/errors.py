"""Why a value is not kept."""

from __future__ import annotations


class NotKeptError(Exception):
    """A value that can't be handed over; the text says what it is, or what is wrong with it."""
