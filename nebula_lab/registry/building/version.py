"""From one plugin's files to what a registry says of it, and its archive."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from msgspec import Struct

from nebula_lab.errors import PublishingError, SignatureError
from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.registry.archives.packing import pack
from nebula_lab.registry.format.documents import Archive, PublishedVersion
from nebula_lab.registry.format.values import described
from nebula_lab.trust.collecting import collect
from nebula_lab.trust.contents import CollectedPlugin
from nebula_lab.trust.key_lines import TrustedKey
from nebula_lab.trust.public_key import PublicKey
from nebula_lab.trust.report import SignatureStatus
from nebula_lab.trust.sshsig import parse_signature
from nebula_lab.trust.verifying import TrustPolicy, verify

__all__ = ["Packed", "packed", "version_of"]


class Packed(Struct, frozen=True):
    """A version as it is published.

    Attributes:
        plugin_id: the plugin.
        version: what the registry says of it.
        archive: its files.
    """

    plugin_id: str
    version: PublishedVersion
    archive: bytes


def packed(descriptor: PluginDescriptor, published: datetime | None = None) -> Packed:
    """A plugin on disk as it would be published.

    Raises:
        StoreError: its files can't be read.
        PublishingError: it can't be published as it is.
    """
    collected = collect(descriptor)
    archive = pack(collected)
    return Packed(descriptor.id, version_of(collected, descriptor, archive, published), archive)


def version_of(
    collected: CollectedPlugin,
    descriptor: PluginDescriptor,
    archive: bytes,
    published: datetime | None = None,
) -> PublishedVersion:
    """What a registry says of a version.

    Args:
        collected: its files.
        descriptor: what these say of it.
        archive: their archive, as it will be served.
        published: when it is published.

    Raises:
        PublishingError: nobody could use it, as its signature does not hold, or nothing in it
            describes it.
    """
    if collected.description is None:
        raise PublishingError(
            "what describes it is not among its files",
            plugin_id=descriptor.id,
            path=descriptor.path,
            hint="Put its manifest beside or into it, or PLUGIN_METADATA into its source.",
        )
    return PublishedVersion(
        **described(descriptor),
        archive=Archive(sha256(archive).hexdigest(), len(archive)),
        tree=collected.files.digest,
        source=collected.files.source,
        described_by=collected.description,
        signed_by=_signed_by(collected),
        published=published,
    )


def _signed_by(collected: CollectedPlugin) -> str | None:
    """Who signed, trusted or not; that is for whoever installs it to say."""
    report = verify(collected, TrustPolicy(_signing_key(collected)))
    if report.status is SignatureStatus.UNSIGNED:
        return None
    if not report.is_good:
        raise PublishingError(
            f"nobody could use it: {report.message}",
            plugin_id=collected.plugin_id,
            path=report.path,
            hint="Sign it again, or remove its signature.",
        )
    return report.fingerprint


def _signing_key(collected: CollectedPlugin) -> tuple[TrustedKey, ...]:
    """The key that a signature says it is of; none where there is no signature to be read."""
    text = collected.contents.get(f"{collected.signed_list}.sig")
    try:
        blob = b"" if text is None else parse_signature(text).public_key
        return (TrustedKey(PublicKey.from_blob(blob)),) if blob else ()
    except SignatureError:
        return ()
