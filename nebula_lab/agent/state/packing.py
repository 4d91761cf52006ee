"""Nodes as one piece of bytes: MessagePack, or JSON text in a sandbox that has no msgspec.

What one host packs only a host of the same kind unpacks.
"""

from __future__ import annotations

import importlib.util
from typing import Any

from nebula_lab.wire.tagged_json import dumps, loads

_HAS_MSGSPEC = importlib.util.find_spec("msgspec") is not None


def pack(nodes: Any) -> bytes:
    """The bytes of lists and dicts of leaves."""
    if not _HAS_MSGSPEC:
        return dumps(nodes, None).encode()
    import msgspec

    return msgspec.msgpack.encode(nodes)


def unpack(packed: bytes) -> Any:
    """What `pack` was given."""
    if not _HAS_MSGSPEC:
        return loads(bytes(packed).decode(), _no_file)
    import msgspec

    return msgspec.msgpack.decode(packed)


def _no_file(name: str, *, is_frozen: bool = False) -> memoryview:
    raise ValueError("nodes have no content in files")
