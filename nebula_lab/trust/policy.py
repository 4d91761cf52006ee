"""What a configuration asks of signatures."""

from __future__ import annotations

import warnings

from nebula_lab.errors import SignatureError
from nebula_lab.model.security import SecurityConfig
from nebula_lab.trust.contents import CollectedPlugin
from nebula_lab.trust.key_files import parse_inline_keys, read_revoked_keys, read_trusted_keys
from nebula_lab.trust.report import SignatureReport, SignatureStatus
from nebula_lab.trust.verifying import TrustPolicy, verify

__all__ = ["EditedPluginWarning", "policy_of", "require"]


class EditedPluginWarning(UserWarning):
    """A plugin was changed after it was signed, and is used because of development mode."""


def policy_of(security: SecurityConfig, at: float | None = None) -> TrustPolicy:
    """Whom a configuration trusts; its files are read each time, so that changes hold at once.

    Raises:
        ConfigError: a key or a file in it can't be read.
    """
    trusted = parse_inline_keys(security.trusted_keys)
    if security.allowed_signers is not None:
        trusted += read_trusted_keys(security.allowed_signers)
    revoked: frozenset[bytes] = frozenset()
    if security.revoked_keys is not None:
        revoked = read_revoked_keys(security.revoked_keys)
    return TrustPolicy(trusted, revoked, at)


def require(collected: CollectedPlugin, security: SecurityConfig) -> SignatureReport | None:
    """Let a plugin pass that is signed as the configuration asks.

    Returns:
        What was found; None where the configuration asks for no signatures and none was looked at.
        In development mode an edited plugin passes with a warning, and is MODIFIED.

    Raises:
        SignatureError: it does not pass, with the cure.
        ConfigError: a key or a file in the configuration can't be read.
    """
    if not security.verify_signature:
        return None
    report = verify(collected, policy_of(security))
    if report.is_good:
        return report
    if security.development and report.status is SignatureStatus.MODIFIED:
        warnings.warn(
            f"{report.plugin_id}: {report.message}; it is used all the same, because "
            "security.development is set",
            EditedPluginWarning,
            stacklevel=2,
        )
        return report
    raise SignatureError(
        report.message,
        report=report,
        plugin_id=report.plugin_id,
        path=collected.folder / collected.files.source,
        hint=report.cure,
    )
