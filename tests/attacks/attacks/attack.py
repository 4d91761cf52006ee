"""What an attack is, the table of all of them, and what came of one."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ATTACKS", "PROGRAM_RAN", "Attack", "attack", "attempt"]

# What a program exits with that an attack got to run.
PROGRAM_RAN = 77
# Numbers of capabilities, from linux/capability.h.
CAPABILITIES = {
    "CHOWN": 0,
    "DAC_READ_SEARCH": 2,
    "SETUID": 7,
    "NET_RAW": 13,
    "SYS_CHROOT": 18,
    "SYS_ADMIN": 21,
    "SYS_BOOT": 22,
    "SYS_RESOURCE": 24,
    "BPF": 39,
}


@dataclass(frozen=True)
class Attack:
    """One thing to try, by one way.

    Attributes:
        name: of the function.
        theme: the module that it is in.
        run: takes the target and gives evidence of its success; raises what stopped it.
        needs: a capability without which the kernel refuses it to anyone, confined or not.
        absent: errors that say that the kernel does not have what is attacked, with the reason.
        secret: which of the stage's secrets the evidence has to have.
        leaves: which effect on the stage is looked for.
        after: what its process ends like, if it runs unconfined.
    """

    name: str
    theme: str
    run: Callable[[Mapping[str, Any]], Any]
    needs: str | None = None
    absent: Mapping[int, str] = field(default_factory=dict)
    secret: str | None = None
    leaves: str | None = None
    after: str | None = None


ATTACKS: dict[str, Attack] = {}


def attack(**traits: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Put a function into the table."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        theme = function.__module__.rpartition(".")[2]
        ATTACKS[function.__name__] = Attack(function.__name__, theme, function, **traits)
        return function

    return register


def attempt(name: str, target: Mapping[str, Any]) -> dict[str, Any]:
    """Run an attack; what came of it in plain values."""
    try:
        evidence = ATTACKS[name].run(target)
    except BaseException as error:
        return {
            "succeeded": False,
            "error": type(error).__name__,
            "errno": errno.errorcode.get(getattr(error, "errno", None) or 0, ""),
            "detail": "".join(traceback.format_exception(error))[-2000:],
        }
    return {"succeeded": True, "evidence": evidence}
