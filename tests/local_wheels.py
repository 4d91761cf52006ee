"""Wheels of what is installed here, and of whatever a test makes up."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import tarfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path

_NOT_REPACKED = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}


def write_wheel(folder: Path, name: str, version: str, files=None, requires=()) -> Path:
    """A wheel of text files; a module of its name and version unless it is told what it has."""
    files = {f"{name}.py": f"__version__ = {version!r}\n"} if files is None else files
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
    contents = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    return _write(folder / f"{name}-{version}-py3-none-any.whl", info, contents)


def write_source(folder: Path, name: str, version: str, files=None, metadata="2.1") -> Path:
    """A source distribution; without files, one whose build would leave a file behind.

    Args:
        files: text by path in it.
        metadata: the version of its metadata; by 2.2 they say what it depends on, which is nothing.
    """
    ran = folder / "a_build_ran"
    texts = {
        "PKG-INFO": f"Metadata-Version: {metadata}\nName: {name}\nVersion: {version}\n",
        **({"setup.py": f"open({str(ran)!r}, 'w').close()\n"} if files is None else files),
    }
    with tarfile.open(folder / f"{name}-{version}.tar.gz", "w:gz") as archive:
        for inside, text in texts.items():
            entry = tarfile.TarInfo(f"{name}-{version}/{inside}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return ran


def _write(path: Path, info: str, contents: dict) -> Path:
    record = f"{info}/RECORD"
    with zipfile.ZipFile(path, "w") as wheel:
        lines = []
        for name, content in contents.items():
            data = content.encode() if isinstance(content, str) else content
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            lines.append(f"{name},sha256={digest},{len(data)}\n")
            wheel.writestr(name, data)
        wheel.writestr(record, "".join([*lines, f"{record},,\n"]))
    return path


def repack(name: str, folder: Path) -> None:
    """A wheel of what is installed here, so that no test has to fetch it."""
    found = distribution(name)
    tags = re.findall(r"^Tag: (.+)$", found.read_text("WHEEL") or "", re.MULTILINE)
    # A name has each part of all tags once, with points between them.
    parts = zip(*(one.split("-") for one in tags), strict=True)
    tag = "-".join(".".join(dict.fromkeys(part)) for part in parts)
    contents = {
        str(one): one.locate().read_bytes()
        for one in found.files or ()
        if ".." not in one.parts and one.suffix != ".pyc" and one.name not in _NOT_REPACKED
    }
    info = next(one for one in contents if one.endswith(".dist-info/METADATA")).split("/")[0]
    stem = info.removesuffix(".dist-info")
    _write(folder / f"{stem}-{tag}.whl", info, contents)
