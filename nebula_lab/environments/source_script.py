"""Builds a wheel by the hooks of PEP 517: `… SOURCE DESCRIPTOR REQUEST`.

A script for the Python of the environment that the build asks for, in a process that is confined
already. It needs the standard library alone. SOURCE is read-only and copied; REQUEST is JSON. What
comes of it goes to DESCRIPTOR, a pipe: a line of JSON, and then the bytes of the wheel.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any


def _backend(work: Path, request: dict[str, Any]) -> Any:
    sys.path[:0] = [str(work / one) for one in request["backend_path"]]
    module, _, inside = request["backend"].partition(":")
    found: Any = importlib.import_module(module)
    for name in filter(None, inside.split(".")):
        found = getattr(found, name)
    return found


def main(source: str, descriptor: str, request_text: str) -> None:
    request = json.loads(request_text)
    home = Path(os.environ["HOME"])
    work, out = home / "source", home / "wheel"
    shutil.copytree(source, work, symlinks=True)
    out.mkdir()
    os.chdir(work)
    backend = _backend(work, request)
    ask = getattr(backend, "get_requires_for_build_wheel", None)  # it need not have one
    missing = [one for one in ask() if one not in request["known"]] if ask else []
    with open(int(descriptor), "wb") as answer:  # noqa: PTH123 - it has no path
        if missing:
            answer.write(json.dumps({"requires": missing}).encode() + b"\n")
            return
        name = backend.build_wheel(str(out))
        wheel = out / name
        head = {"wheel": name, "size": wheel.stat().st_size}
        answer.write(json.dumps(head).encode() + b"\n")
        with wheel.open("rb") as content:
            shutil.copyfileobj(content, answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
