"""Runs a filter as the kernel would, for any machine, after the kernel's checks of the program."""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator, Sequence

_LOAD, _AND, _JUMP, _IF_EQUAL, _IF_AT_LEAST, _ANSWER = 0x20, 0x54, 0x05, 0x15, 0x35, 0x06
KILL_PROCESS, ERROR, ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
AUDIT_NAMES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7, "i386": 0x40000003, "arm": 0x40000028}


@functools.cache
def decoded(program: bytes) -> list[tuple[int, int, int, int]]:
    """The instructions, if the kernel would take them."""
    code = list(struct.iter_unpack("=HBBI", program))
    assert 0 < len(code) <= 4096
    for place, (operation, near, far, value) in enumerate(code):
        targets = {_JUMP: [value], _IF_EQUAL: [near, far], _IF_AT_LEAST: [near, far]}
        assert all(place + 1 + jump < len(code) for jump in targets.get(operation, []))
        assert operation != _LOAD or (value < 64 and value % 4 == 0)
    assert code[-1][0] == _ANSWER
    return code


def steps(code: list[tuple[int, int, int, int]], data: bytes) -> Iterator[int | None]:
    place, loaded = 0, 0
    while True:
        operation, near, far, value = code[place]
        place += 1
        if operation == _LOAD:
            (loaded,) = struct.unpack_from("=I", data, value)
        elif operation == _AND:
            loaded &= value
        elif operation == _JUMP:
            place += value
        elif operation == _IF_EQUAL:
            place += near if loaded == value else far
        elif operation == _IF_AT_LEAST:
            place += near if loaded >= value else far
        else:
            assert operation == _ANSWER
            yield value
            return
        yield None


def answer(
    program: bytes, number: int, arguments: Sequence[int] = (), *, machine: str = "x86_64"
) -> int:
    """What the program answers to one call."""
    registers = [*arguments, *(0,) * (6 - len(arguments))]
    data = struct.pack("=IIQ6Q", number, AUDIT_NAMES[machine], 0, *(a % 2**64 for a in registers))
    (*_, last) = steps(decoded(program), data)
    assert last is not None
    return last
