"""How much memory a process has that nobody else has."""

from __future__ import annotations

from pathlib import Path


def own_memory(pid: int) -> int:
    """Bytes of a process, with its share of what it shares; 0 where it is gone.

    Where the kernel does not say that of another user's process: all that is not a file's, which
    counts what forks share in each of them.
    """
    try:
        fields = _fields(Path(f"/proc/{pid}/smaps_rollup").read_text())
        return fields.get("Pss", 0) + fields.get("SwapPss", 0)
    except OSError:
        pass
    try:
        fields = _fields(Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return sum(fields.get(name, 0) for name in ("RssAnon", "RssShmem", "VmSwap"))


def _fields(text: str) -> dict[str, int]:
    """The lines `Name:  12 kB` of a file of /proc, in bytes."""
    found = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) == 3 and words[2] == "kB" and words[1].isdigit():
            found[words[0].removesuffix(":")] = int(words[1]) * 1024
    return found
