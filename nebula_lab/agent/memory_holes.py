"""Fills the holes that freed objects have left in Python's memory, before a zygote forks.

CPython keeps small objects in pools of 16 KiB, one for each size, and puts a new object where one
of its size has been freed. In a fork that would write here and there between what it shares with
the zygote, and each write copies a page of 4 KiB: there are thousands of holes, of half a megabyte
in all. With the holes filled, a host's objects lie side by side in pools of its own.

What fills them is never touched again, and shared by all. Where an interpreter keeps its objects
in another way, this does no harm: it makes a few objects in vain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

_POOL = 16 * 1024  # bytes, and aligned so
_HEADER = 48  # bytes of it before its first object
_STEP = 16  # sizes are multiples of it
_LARGEST = 512  # bytes; what is larger comes from the C library
_RUN = 3  # so many side by side, from a pool's start on, and it is a new one
# For one size; so that an interpreter without such pools does not go on for ever.
_MOST = 4096
_BYTES_HEADER = 33
# What is too small to be bytes.
_SMALL: dict[int, Callable[[], object]] = {16: object, 32: complex}

_filling: list[object] = []


def fill() -> None:
    """Fill the holes of every size; one thread alone may run."""
    sizes = range(_STEP, _LARGEST + 1, _STEP)
    _filling.extend([list(_until_new_pool(_maker(size), size)) for size in sizes])


def _maker(size: int) -> Callable[[], object]:
    """What makes an object of that many bytes, of which the collector knows nothing."""
    small = _SMALL.get(size)
    return small or (lambda: bytes(size - _BYTES_HEADER))


def _until_new_pool(make: Callable[[], object], size: int) -> Iterator[object]:
    run = 0
    for _ in range(_MOST):
        made = make()
        yield made
        place = id(made) % _POOL
        run = run + 1 if place == _HEADER + run * size else int(place == _HEADER)
        if run == _RUN:
            return
