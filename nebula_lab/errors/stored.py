"""Errors about a plugin's files: how they are kept, and who vouches for them."""

from __future__ import annotations

from typing import Any

from nebula_lab.plugin.errors import PluginError


class StoreError(PluginError):
    """Files of a plugin that can't be put into the content store, or be had from it intact."""


class UnfinishedChangeError(StoreError):
    """A change of several files that has been decided, and that could not be carried out yet.

    Whoever changes the same folder next carries it out first.
    """


class SignatureError(PluginError):
    """A plugin is not signed as the configuration asks, or its signature can't be made or read.

    Attributes:
        report: the `SignatureReport` (nebula_lab.trust) where there is one.
    """

    def __init__(self, message: str, *, report: object = None, **where: Any) -> None:
        super().__init__(message, **where)
        self.report = report


class SshKeyError(SignatureError):
    """A private key, or an agent that holds one, that can't be used to sign."""
