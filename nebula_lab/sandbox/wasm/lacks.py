"""What Python in WebAssembly has not got, told of an error that came of it."""

from __future__ import annotations

import re
from typing import Any

_ELSEWHERE = "In sandbox Process, or a Container, there is."
_MODULE = re.compile(r"No module named '([\w.]+)'")
_THREAD = "can't start new thread"


def sentence_for(told: dict[str, Any]) -> str:
    """What to add to an error that a plugin in a machine raised; "" where it is none of ours."""
    for found in (_missing_module, _thread, _process):
        sentence = found(told)
        if sentence:
            return sentence
    return ""


def _missing_module(told: dict[str, Any]) -> str:
    if told["type"] not in ("ModuleNotFoundError", "ImportError"):
        return ""
    found = _MODULE.search(told["message"])
    what = f"module {found.group(1)}" if found else "such module"
    return (
        f"Python in WebAssembly has no {what}, but its standard library alone: no packages, and "
        f"nothing that is written in C. In sandbox Process there is what is installed here."
    )


def _thread(told: dict[str, Any]) -> str:
    if _THREAD not in told["message"]:
        return ""
    return f"Python in WebAssembly has no threads. {_ELSEWHERE}"


def _process(told: dict[str, Any]) -> str:
    words = told["message"] + told["traceback"][-2000:]
    if "subprocess" in words or "does not support processes" in words:
        return f"Python in WebAssembly starts no processes. {_ELSEWHERE}"
    return ""
