"""A folder is removed whatever a plugin has made of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from nebula_lab.sandbox import removal

# As in a plugin, below the folder that it is started in.
MAKE = {
    "deeply nested folders": """
for _ in range(2500):
    os.mkdir("d"); os.chdir("d")
open("last", "w").close()
""",
    "names that are too long together": """
for _ in range(40):
    os.mkdir("x" * 250); os.chdir("x" * 250)
""",
    "folders that it may not enter": """
os.makedirs("a/b/c"); open("a/b/c/file", "w").close()
for mode, path in ((0, "a/b/c"), (0o500, "a/b"), (0, "a")):
    os.chmod(path, mode)
os.mkdir("listed", 0o400); os.mkdir("entered", 0o100)
""",
    "hostile names": r"""
for name in (b"\xff\xfe", b"a\nb", b"-rf", b"*", b"\x1b[2J", b" "):
    os.mkdir(name); open(name + b"/" + name, "w").close()
""",
    "what is no file": """
os.mkfifo("pipe"); os.symlink("nowhere", "link"); os.symlink(".", "loop")
socket.socket(socket.AF_UNIX).bind("socket")
""",
    "many files and folders": """
for number in range(500):
    os.mkdir(f"d{number}"); open(f"f{number}", "w").close()
""",
}


# Whom no modes of files concern becomes somebody else first, who can be looked at by /proc.
WHOLE = """
import ctypes, os, resource, socket, sys
from nebula_lab.sandbox import removal
os.mkdir("folder")
if os.getuid() == 0:
    for owned in (".", "folder"):
        os.chown(owned, 65534, 65534)
    os.setgroups([]); os.setresgid(*[65534] * 3); os.setresuid(*[65534] * 3)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
above = os.open(".", os.O_RDONLY)
os.chdir("folder")
exec(sys.argv[1])
os.fchdir(above)
removal.remove("folder")
print(os.listdir())
"""


@pytest.mark.parametrize("made", MAKE)
def test_it_is_removed_with(tmp_path, made):
    command = [sys.executable, "-c", WHOLE, MAKE[made]]
    found = subprocess.run(command, check=True, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert found.stdout == "[]\n"


def test_what_links_lead_to_stays(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").touch()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    removal.remove(str(folder))
    assert sorted(tmp_path.rglob("*")) == [outside, outside / "file"]


def test_a_link_in_the_place_of_the_folder_is_not_followed(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").touch()
    (tmp_path / "folder").symlink_to(outside)
    removal.remove(str(tmp_path / "folder"))
    assert (outside / "file").exists()


def test_a_folder_that_is_not_there_is_no_trouble(tmp_path):
    removal.remove(str(tmp_path / "nothing" / "there"))


def test_it_takes_no_more_descriptors_the_deeper_it_goes(tmp_path):
    code = MAKE["deeply nested folders"].replace("open(", "resource.setrlimit(7, (16, 16)); open(")
    command = [sys.executable, "-c", WHOLE, code]
    found = subprocess.run(command, check=True, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert found.stdout == "[]\n"
