"""The list that a signature is for: the SHA-256 of every file of a plugin.

It is text that `sha256sum --check` reads too, run in the folder that holds the plugin:

    # nebula-lab signed files 1
    # id counter
    # version 1.0.0
    0f3a…  counter.py
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Self

from msgspec import Struct

from nebula_lab.errors import SignatureError
from nebula_lab.trust.contents import CollectedPlugin, is_plain_path
from nebula_lab.trust.report import Difference

__all__ = ["SignedFiles"]

_FIRST_LINE = "# nebula-lab signed files 1"
_LARGEST = 8 * 2**20
_ENTRY = re.compile(r"(?P<sha256>[0-9a-f]{64})  (?P<path>.+)")


class SignedFiles(Struct, frozen=True):
    """What a list says.

    Attributes:
        plugin_id: the plugin.
        version: its version.
        hashes: SHA-256 in hexadecimal by path, sorted.
    """

    plugin_id: str
    version: str
    hashes: Mapping[str, str]

    @classmethod
    def of(cls, collected: CollectedPlugin) -> Self:
        """The list of a plugin as it is; without the list itself and its signature."""
        own = (collected.signed_list, f"{collected.signed_list}.sig")
        return cls(
            collected.plugin_id,
            collected.version,
            {file.path: file.sha256 for file in collected.files.files if file.path not in own},
        )

    @property
    def text(self) -> bytes:
        """The list as it is signed."""
        head = [_FIRST_LINE, f"# id {self.plugin_id}", f"# version {self.version}"]
        entries = [f"{sha256}  {path}" for path, sha256 in sorted(self.hashes.items())]
        return "\n".join([*head, *entries, ""]).encode()

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Read a list; there is one way only to write each.

        Raises:
            SignatureError: it is none.
        """
        if len(text) > _LARGEST:
            raise SignatureError(f"has more than {_LARGEST // 2**20} MiB")
        try:
            lines = text.decode().split("\n")
        except UnicodeDecodeError as error:
            raise SignatureError("is not a list of signed files: it is not text") from error
        if lines[0] != _FIRST_LINE or len(lines) < 4:
            raise SignatureError("is not a list of signed files of a kind that is known here")
        found = [_ENTRY.fullmatch(line) for line in lines[3:-1]]
        value = cls(
            lines[1].removeprefix("# id "),
            lines[2].removeprefix("# version "),
            {entry["path"]: entry["sha256"] for entry in found if entry is not None},
        )
        # Written again it must be the same: so nothing is in it twice, out of order or unread.
        if value.text != text or not all(map(is_plain_path, value.hashes)):
            raise SignatureError(
                "is not a list of signed files: an entry in it is malformed, there twice, out of "
                "order, or leads elsewhere"
            )
        return value

    def differences(self, now: Self) -> tuple[Difference, ...]:
        """What was done to the files since this list was made, by path; `now` is what there is."""
        paths = sorted(self.hashes.keys() | now.hashes.keys())
        return tuple(
            Difference(path, self._change(path, now))
            for path in paths
            if self.hashes.get(path) != now.hashes.get(path)
        )

    def _change(self, path: str, now: Self) -> str:
        if path not in now.hashes:
            return "missing"
        return "changed" if path in self.hashes else "added"
