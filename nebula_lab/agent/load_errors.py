"""Why a source is no plugin that can run here."""

from __future__ import annotations


class MissingEntryError(Exception):
    """The plugin's source has no usable `plugin_entry`."""


class LoadError(Exception):
    """The plugin's source is there but is not a plugin that can run here."""
