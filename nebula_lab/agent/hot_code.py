"""Lays the code that a boot runs side by side, so that forks copy fewer pages of memory.

CPython counts the users of a function's code at each call, and rewrites the code itself until it is
warm. So each function that a forked host runs costs it a copy of the page where its code is: of
some 25,000 functions in a zygote, a kernel's boot runs 1,200, which lie on 750 pages. One host
notes which these are while it boots, before its plugin comes. The zygote then gives these functions
copies of their code, made one after another. Each further host has a fifteenth less memory
to itself.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import threading
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from types import CodeType, FrameType, FunctionType

_NUMBER = "Q"
_SIZE = array(_NUMBER).itemsize
_MOST = 65536  # bytes, which is what a pipe takes


class CodeRecorder:
    """Notes what code runs in this process, and tells another, which has it at the same places.

    Args:
        descriptor: of a pipe.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._seen: set[int] = set()
        self._is_over = False

    def start(self) -> None:
        """Note what this thread runs, and those that it starts."""
        threading.setprofile(self._note)
        sys.setprofile(self._note)

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        if self._is_over:
            sys.setprofile(None)  # of a thread that runs on
        elif event == "call":
            self._seen.add(id(frame.f_code))

    def finish(self) -> None:
        """Note no more, and tell what was noted."""
        self._is_over = True
        # The user's own may have come in between.
        if threading.getprofile() == self._note:
            threading.setprofile(None)
        if sys.getprofile() == self._note:
            sys.setprofile(None)
        seen = array(_NUMBER, self._seen)
        with contextlib.suppress(OSError):  # a zygote that is gone has no use for it
            os.write(self._descriptor, seen.tobytes()[:_MOST])
        os.close(self._descriptor)


class Recording:
    """What a host will have noted, as the zygote reads it that forks it."""

    def __init__(self) -> None:
        self.descriptor, self._other_end = os.pipe()
        os.set_blocking(self.descriptor, False)
        self._read = bytearray()

    def recorder(self) -> CodeRecorder:
        """Its other end, in the process that was forked."""
        return CodeRecorder(self._other_end)

    def let_go(self) -> None:
        """Leave the other end to the process that was forked."""
        os.close(self._other_end)

    def close(self) -> None:
        os.close(self.descriptor)

    def read(self) -> array[int] | None:
        """Read what has come; the places of code, once that is all, or none if the host has ended
        or become something else before."""
        try:
            while part := os.read(self.descriptor, _MOST):
                self._read += part
        except BlockingIOError:
            return None
        whole = len(self._read) // _SIZE * _SIZE
        return array(_NUMBER, bytes(self._read[:whole]))


class Functions:
    """The functions of a process, by the places of their code.

    What was added is not looked at again: that would write to its pages, which forks share.
    """

    def __init__(self) -> None:
        # Of each time that some were added: places of their code in order, and they themselves.
        self._added: list[tuple[array[int], list[FunctionType]]] = []
        # What is no longer used stays: in its place, each fork would put what it makes.
        self._former: list[CodeType] = []

    def add_new(self) -> None:
        """Add those that the collector has not been told to leave alone."""
        new = [found for found in gc.get_objects() if type(found) is FunctionType]
        new.sort(key=_place)
        self._added.append((array(_NUMBER, map(_place, new)), new))

    def gather(self, places: Iterable[int]) -> int:
        """Lay the code at these places side by side.

        Args:
            places: of code. Where none was when functions were added, there is nothing to do; and
                what is warm stays, since a copy would have to get so anew in each fork.

        Returns:
            How many were copied.
        """
        count = 0
        for place in places:
            users = self._users(place)
            if users and not _is_warm(users[0].__code__):
                self._former.append(users[0].__code__)
                copy = users[0].__code__.replace()
                for user in users:
                    user.__code__ = copy
                count += 1
        return count

    def _users(self, place: int) -> list[FunctionType]:
        found: list[FunctionType] = []
        for places, functions in self._added:
            one = functions[bisect_left(places, place) : bisect_right(places, place)]
            found += (user for user in one if _place(user) == place)
        return found


def _place(function: FunctionType) -> int:
    return id(function.__code__)


def _is_warm(code: CodeType) -> bool:
    """Whether CPython has written what it knows of its variables' types into it."""
    # An attribute of CPython's own, which typeshed does not have.
    written: bytes = getattr(code, "_co_code_adaptive", code.co_code)
    return written != code.co_code
