"""Runs a module of ours in an isolated Python, which finds nothing by itself.

A script, for `isolated_command`: MODULE SETTINGS ARGUMENT…, where SETTINGS are JSON. It calls the
module's `main` with the search path of the standard library and the arguments. A file rather than
`-c`, so that native tracebacks show whose frames these are.
"""

from __future__ import annotations

import importlib
import json
import sys


def _run(module: str, settings: str, arguments: list[str]) -> None:
    found = json.loads(settings)
    standard_path = list(sys.path)
    sys.prefix = sys.exec_prefix = found["prefix"]
    sys.path += found["path"]
    importlib.import_module(module).main(standard_path, arguments)


if __name__ == "__main__":
    _run(sys.argv[1], sys.argv[2], sys.argv[3:])
