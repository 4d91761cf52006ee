"""Landlock's domain itself, whatever is to be restricted in it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from nebula_lab.confine import landlock

# Moves a file between two folders, and reads variables of a process outside.
ACT = """
import os, sys
from nebula_lab.confine import landlock, privileges
abi, network, others, outside = map(int, sys.argv[1:])
os.mkdir("a"); os.mkdir("b"); open("a/file", "w").close()
privileges.forbid_gaining()
privileges.drop_all()
landlock.restrict(None, network=bool(network), others=bool(others), abi=abi)
os.rename("a/file", "b/file")
try:
    open(f"/proc/{outside}/environ", "rb").read()
except PermissionError:
    print("a domain")
else:
    print("none")
"""
# With no more privileges than that one, so that these do not keep it from being read.
OUTSIDE = """
from nebula_lab.confine import privileges
privileges.drop_all()
print(flush=True)
input()
"""


@pytest.fixture(scope="module")
def outside():
    """The pid of a process that is in no domain."""
    with subprocess.Popen(
        [sys.executable, "-c", OUTSIDE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout.readline()
        yield started.pid
        started.communicate("\n")


@pytest.fixture
def found(tmp_path, outside):
    """Makes a domain of some version, if there is one."""

    def make(*arguments):
        if landlock.version() < arguments[0]:
            pytest.skip("the kernel has no such version")
        words = (str(int(one)) for one in (*arguments, outside))
        command = [sys.executable, "-c", ACT, *words]
        done = subprocess.run(command, cwd=tmp_path, check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout.strip()

    return make


@pytest.mark.parametrize("abi", range(2, 8))
@pytest.mark.parametrize("network", [False, True])
@pytest.mark.parametrize("others", [False, True])
def test_a_domain_is_entered_though_there_is_nothing_to_restrict(found, abi, network, others):
    """Else a process that may use all files could read the variables of its manager."""
    assert found(abi, network, others) == "a domain"


def test_in_the_first_version_there_is_none_since_nothing_could_be_moved(found):
    assert found(1, True, True) == "none"
