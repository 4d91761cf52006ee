"""Before a zygote forks, the holes in its memory are filled, so that forks copy fewer pages."""

from __future__ import annotations

import subprocess
import sys

HOLES = """
import sys
from nebula_lab.agent import memory_holes
size = int(sys.argv[1])
make = {16: object, 32: complex}.get(size, lambda: bytes(size - 33))
made = [make() for _ in range(3000)]
holes = {id(one) for one in made[::3]}
del made[::3]
memory_holes.fill()
print(sum(id(one) in holes for one in [make() for _ in range(1000)]))
"""


def test_what_is_made_after_they_were_filled_goes_into_no_hole():
    for size in (16, 32, 48, 64, 128, 256, 512):
        command = [sys.executable, "-c", HOLES, str(size)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert int(done.stdout) < 10, size  # what the count itself lets go of in between


def test_filling_them_takes_less_than_a_megabyte():
    code = """
import ipykernel.kernelapp
from nebula_lab.agent import memory_holes
memory_holes.fill()
print(sum(16 * number * len(made) for number, made in enumerate(memory_holes._filling, 1)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 2**20
