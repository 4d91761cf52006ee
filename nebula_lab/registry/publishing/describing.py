"""From a plugin's files to what a registry says of them."""

from __future__ import annotations

from hashlib import sha256

from nebula_lab.errors import SignatureError, StoreError
from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.registry.format.documents import Archive, PublishedVersion
from nebula_lab.registry.format.values import described
from nebula_lab.trust.contents import CollectedPlugin
from nebula_lab.trust.public_key import PublicKey
from nebula_lab.trust.sshsig import parse_signature

__all__ = ["published_version"]


def published_version(
    descriptor: PluginDescriptor, collected: CollectedPlugin, archive: bytes
) -> PublishedVersion:
    """What a registry says of a version.

    Args:
        descriptor: what its description says.
        collected: its files.
        archive: these, packed.

    Raises:
        StoreError: what describes it is not among its files.
    """
    if collected.description is None:
        raise StoreError(
            "what it is and may do is said in a file that is no part of it",
            plugin_id=descriptor.id,
            path=descriptor.path,
            hint="Put its manifest beside it or into it, or PLUGIN_METADATA into its source.",
        )
    return PublishedVersion(
        **described(descriptor),
        archive=Archive(sha256(archive).hexdigest(), len(archive)),
        tree=collected.files.digest,
        source=collected.files.source,
        described_by=collected.description,
        signed_by=_signer(collected),
    )


def _signer(collected: CollectedPlugin) -> str | None:
    """Whose signature is among the files; whether it holds is seen by whoever trusts somebody."""
    signature = collected.contents.get(f"{collected.signed_list}.sig")
    if signature is None:
        return None
    try:
        return PublicKey.from_blob(parse_signature(signature).public_key).fingerprint
    except SignatureError:
        return None
