"""An assembler for the classic BPF that seccomp(2) runs on each system call.

A program reads the call's number, the machine and the arguments, jumps forward only, and ends with
an answer. A conditional jump reaches 255 instructions; longer ones are made of several here.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Assembler", "MACHINE_OFFSET", "NUMBER_OFFSET", "WORD"]

# Offsets in struct seccomp_data. Both machines that we know are little-endian.
NUMBER_OFFSET = 0
MACHINE_OFFSET = 4
_ARGUMENTS_OFFSET = 16

WORD = 0xFFFFFFFF
_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_AND = 0x54  # BPF_ALU | BPF_AND | BPF_K
_JUMP = 0x05  # BPF_JMP | BPF_JA
_IF_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_IF_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_ANSWER = 0x06  # BPF_RET | BPF_K
_FARTHEST = 255
_LONGEST = 4096
_INSTRUCTION = struct.Struct("=HBBI")

# Where a conditional jump goes when there is nothing to jump over.
_NEXT = ""


class _Line(NamedTuple):
    code: int
    value: int = 0
    then: str = _NEXT
    otherwise: str = _NEXT

    @property
    def is_conditional(self) -> bool:
        return self.code in (_IF_EQUAL, _IF_AT_LEAST)


class Assembler:
    """Collects the lines of a program; labels are names that the caller makes up."""

    def __init__(self) -> None:
        self._lines: list[_Line] = []
        self._labels: dict[str, int] = {}
        self._fresh = (f"#{number}" for number in itertools.count())

    def label(self, name: str) -> None:
        """Name the place where the next line will be."""
        assert name not in self._labels, name
        self._labels[name] = len(self._lines)

    def load(self, offset: int) -> None:
        """Take the 32 bits at this offset of the call's description."""
        self._lines.append(_Line(_LOAD, offset))

    def jump(self, target: str) -> None:
        self._lines.append(_Line(_JUMP, then=target))

    def if_equal(self, value: int, then: str = _NEXT, otherwise: str = _NEXT) -> None:
        """Compare what was loaded, and jump by that; without a label, go on."""
        self._lines.append(_Line(_IF_EQUAL, value, then, otherwise))

    def if_at_least(self, value: int, then: str = _NEXT, otherwise: str = _NEXT) -> None:
        """Compare what was loaded as an unsigned number, and jump by that."""
        self._lines.append(_Line(_IF_AT_LEAST, value, then, otherwise))

    def answer(self, value: int) -> None:
        """End the program with one of seccomp's actions."""
        self._lines.append(_Line(_ANSWER, value))

    def by_range(self, ranges: Sequence[tuple[int, str]]) -> None:
        """Jump by the range that what was loaded is in, by halving.

        Args:
            ranges: where each begins and the label to jump to; ascending, the first from 0.
        """
        if len(ranges) == 1:
            self.jump(ranges[0][1])
            return
        middle = len(ranges) // 2
        low, high = ranges[:middle], ranges[middle:]
        above = high[0][1] if len(high) == 1 else next(self._fresh)
        below = low[0][1] if len(low) == 1 else _NEXT
        self.if_at_least(high[0][0], then=above, otherwise=below)
        if len(low) > 1:
            self.by_range(low)
        if len(high) > 1:
            self.label(above)
            self.by_range(high)

    def by_argument(
        self, index: int, mask: int, values: Sequence[int], *, among: str, else_: str
    ) -> None:
        """Jump by whether an argument, under a mask of up to 64 bits, is one of some values."""
        if mask <= WORD:
            self._half(index, 0, mask)
            for value in values:
                self.if_equal(value, then=among)
            self.jump(else_)
            return
        # One half alone would let a value pass that differs in the other.
        for value in values:
            following = next(self._fresh)
            self._half(index, 4, mask >> 32)
            self.if_equal(value >> 32, otherwise=following)
            self._half(index, 0, mask & WORD)
            self.if_equal(value & WORD, then=among)
            self.label(following)
        self.jump(else_)

    def _half(self, index: int, offset: int, mask: int) -> None:
        self.load(_ARGUMENTS_OFFSET + 8 * index + offset)
        if mask != WORD:
            self._lines.append(_Line(_AND, mask))

    def assemble(self) -> bytes:
        """The program, as the kernel takes it.

        Raises:
            ValueError: it is longer than the kernel takes, or jumps back.
        """
        starts = self._starts()
        if starts[-1] > _LONGEST:
            raise ValueError(f"a filter of {starts[-1]} instructions; {_LONGEST} are possible")
        return b"".join(self._encoded(index, starts) for index in range(len(self._lines)))

    def _starts(self) -> list[int]:
        """Where each line starts, and the end: lines grow until no jump is too far."""
        sizes = [1] * len(self._lines)
        while True:
            starts = [0, *itertools.accumulate(sizes)]
            too_short = [
                index
                for index, line in enumerate(self._lines)
                if sizes[index] == 1
                and line.is_conditional
                and self._reach(index, starts) > _FARTHEST
            ]
            if not too_short:
                return starts
            for index in too_short:
                sizes[index] = 3

    def _reach(self, index: int, starts: list[int]) -> int:
        line = self._lines[index]
        return max(
            self._distance(line.then, index, starts), self._distance(line.otherwise, index, starts)
        )

    def _distance(self, target: str, index: int, starts: list[int]) -> int:
        """How many instructions lie between a line and a label behind it."""
        if target == _NEXT:
            return 0
        distance = starts[self._labels[target]] - starts[index + 1]
        if distance < 0:
            raise ValueError(f"a jump back to {target!r}")
        return distance

    def _encoded(self, index: int, starts: list[int]) -> bytes:
        code, value, then, otherwise = self._lines[index]
        near, far = (self._distance(target, index, starts) for target in (then, otherwise))
        if code == _JUMP:
            return _INSTRUCTION.pack(code, 0, 0, near)
        if starts[index + 1] - starts[index] == 1:
            return _INSTRUCTION.pack(code, near, far, value)
        # Each way is a jump of its own, which may be as long as it likes.
        return b"".join(
            (
                _INSTRUCTION.pack(code, 0, 1, value),
                _INSTRUCTION.pack(_JUMP, 0, 0, near + 1),
                _INSTRUCTION.pack(_JUMP, 0, 0, far),
            )
        )
