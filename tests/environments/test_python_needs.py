"""What a plugin says of the environment that it needs, wherever it says it; nothing of it runs."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from nebula_lab.discovery import read_descriptor
from nebula_lab.discovery.reading import read_reading
from nebula_lab.environments.host_packages import HOST_REQUIREMENTS, preferred_versions
from nebula_lab.environments.requirement_list import packages_in, requirement_list
from nebula_lab.errors import MetadataLoadError
from nebula_lab.model import PythonNeeds
from nebula_lab.model.lock import LockedPackage

SOURCE = 'PLUGIN_METADATA = {"id": "one", "version": "1.0.0"}\ndef plugin_entry(): ...\n'
WANTED = PythonNeeds(requires=">=3.11", dependencies=("inflection<0.5", "pandas<3,>=2"))
BLOCK = """# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "pandas>=2,<3",
#   "inflection<0.5",
# ]
# ///
"""


def write(folder, **files):
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder / "one.py"


def test_a_manifest_says_it(tmp_path):
    manifest = """id = "one"
version = "1.0.0"
[python]
requires = ">=3.11"
dependencies = ["pandas>=2,<3", "inflection<0.5"]
"""
    assert read_descriptor(write(tmp_path, one_toml=manifest, one_py="")).python == WANTED


def test_the_metadata_in_the_source_say_it(tmp_path):
    python = {"requires": ">=3.11", "dependencies": ["inflection<0.5", "pandas>=2,<3"]}
    source = SOURCE.replace('"1.0.0"', f'"1.0.0", "python": {json.dumps(python)}')
    assert read_descriptor(write(tmp_path, one_py=source)).python == WANTED


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_inline_metadata_say_it(tmp_path, newline):
    path = tmp_path / "one.py"
    path.write_bytes((BLOCK + SOURCE).replace("\n", newline).encode())
    assert read_descriptor(path).python == WANTED


def test_inline_metadata_hold_beside_a_manifest_that_says_nothing(tmp_path):
    manifest = 'id = "one"\nversion = "1.0.0"\n'
    path = write(tmp_path, one_toml=manifest, one_py=BLOCK)
    assert read_descriptor(path).python == WANTED


def test_a_manifest_holds_against_inline_metadata_and_it_is_noted(tmp_path):
    manifest = 'id = "one"\nversion = "1.0.0"\n[python]\ndependencies = ["pandas"]\n'
    reading = read_reading(write(tmp_path, one_toml=manifest, one_py=BLOCK))
    assert reading.descriptor.python == PythonNeeds(dependencies=("pandas",))
    (note,) = reading.problems
    assert "different environments; the manifest holds" in note.message
    assert note.location.line == 1


def test_who_says_nothing_runs_in_the_manager_s(tmp_path):
    assert read_descriptor(write(tmp_path, one_py=SOURCE)).python is None


def test_what_the_block_says_to_other_programs_is_theirs(tmp_path):
    block = BLOCK.replace("# ///\n", "# [tool.uv]\n# exclude-newer = 2020-01-01\n# ///\n")
    assert read_descriptor(write(tmp_path, one_py=block + SOURCE)).python == WANTED


REFUSED = {
    "no TOML": ("# dependencies = [\n", "not valid TOML", 3),
    "no requirement": ('# dependencies = ["pandas>="]\n', "'pandas>=' is not a requirement", 2),
    "an address": (
        '# dependencies = ["x @ file:///etc/passwd"]\n',
        "'x' is given by an address",
        2,
    ),
    "no range": ('# requires-python = "3 or so"\n', "not a range of Python versions", 2),
    "no list": ('# dependencies = "pandas"\n', "expected a list", 2),
    "another key": ('# dependancies = ["pandas"]\n', "did you mean 'dependencies'", 2),
    "twice": ('# requires-python = ""\n# requires = ""\n', "are the same", 1),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_wrong_in_a_block_is_told_with_its_line(tmp_path, case):
    lines, message, line = case
    path = write(tmp_path, one_py=f"# /// script\n{lines}# ///\n{SOURCE}")
    with pytest.raises(MetadataLoadError, match=re.escape(message)) as caught:
        read_descriptor(path)
    assert (caught.value.path, caught.value.line) == (path, line)


def test_two_blocks_are_one_too_many(tmp_path):
    path = write(tmp_path, one_py=BLOCK + "\n" + BLOCK + SOURCE)
    with pytest.raises(MetadataLoadError, match="second block") as caught:
        read_descriptor(path)
    assert caught.value.line == 9


def test_saying_it_in_a_block_and_in_the_metadata_is_refused(tmp_path):
    source = SOURCE.replace('"1.0.0"', '"1.0.0", "python": {}')
    with pytest.raises(MetadataLoadError, match="line 1 has inline metadata"):
        read_descriptor(write(tmp_path, one_py=BLOCK + source))


def test_a_mistake_in_a_manifest_is_told_with_its_line(tmp_path):
    manifest = (
        'id = "one"\nversion = "1.0.0"\n[python]\nrequires = ">=3.11"\nallow_source = "yes"\n'
    )
    with pytest.raises(MetadataLoadError, match=r"python\.allow_source") as caught:
        read_descriptor(write(tmp_path, one_toml=manifest, one_py=""))
    assert caught.value.line == 5


def test_a_broken_block_beside_a_manifest_is_no_other_environment(tmp_path):
    manifest = 'id = "one"\nversion = "1.0.0"\n'
    path = write(tmp_path, one_toml=manifest, one_py="# /// script\n# dependencies = 1\n# ///\n")
    with pytest.raises(MetadataLoadError, match="inline metadata"):
        read_descriptor(path)


# What goes to the installer


def test_a_host_needs_what_our_own_project_says():
    project = Path(__file__).parents[2] / "pyproject.toml"
    declared = tomllib.loads(project.read_text())["project"]["dependencies"]
    assert set(HOST_REQUIREMENTS) <= set(declared)
    names = {one.partition("==")[0] for one in preferred_versions()}
    assert {"ipykernel", "msgspec", "pyzmq", "tornado"} <= names


def test_a_list_of_packages_can_be_read_again():
    text = """asked==1.0 \\
    --hash=sha256:aaaa \\
    --hash=sha256:bbbb
    # via -r asked.in
other==2.0+local --hash=sha256:cccc
"""
    packages = packages_in(text)
    assert [one.version for one in packages] == ["1.0", "2.0+local"]
    assert packages[0].hashes == ("sha256:aaaa", "sha256:bbbb")
    assert packages_in(requirement_list(packages)) == packages


@pytest.mark.parametrize("name", ["-r", "a\n-r /etc/passwd\nb", "a --index-url=x", "a @ file:///b"])
def test_no_lock_file_slips_an_option_into_such_a_list(name):
    package = LockedPackage(name=name, version="1.0", hashes=("sha256:" + "a" * 64,))
    with pytest.raises(ValueError, match="package"):
        requirement_list([package])


@pytest.mark.parametrize(
    "marker",
    [
        r"""'x"\n--extra-index-url http://127.0.0.1:1/ #'""",
        r'"x\n-r /etc/passwd"',
        r'"x\r--index-url=y"',
        r'"x\u2028y"',
    ],
)
def test_no_plugin_slips_an_option_into_what_the_resolver_is_asked(marker):
    with pytest.raises(ValueError, match=r"is not a requirement|character in its marker"):
        PythonNeeds(dependencies=(f"asked; os_name != {marker}",))


def test_markers_that_say_something_may_be_asked():
    text = 'asked[more]>=1,<2; python_version < "3.13" and sys_platform == "linux"'
    (written,) = PythonNeeds(dependencies=(text,)).dependencies
    assert written == 'asked[more]<2,>=1; python_version < "3.13" and sys_platform == "linux"'


@pytest.mark.parametrize("text", ["asked==1.0\n", "./asked --hash=sha256:aaaa\n", "-e ."])
def test_what_can_t_be_installed_by_hash_is_no_such_list(text):
    with pytest.raises(ValueError, match="not a package with hashes"):
        packages_in(text)


def test_needs_are_a_frozen_value():
    one = PythonNeeds(dependencies=("b", "a"), requires="< 4, >=3.11")
    assert one == PythonNeeds(dependencies=("a", "b", "a"), requires=">=3.11,<4")
    assert hash(one) == hash(PythonNeeds(dependencies=("a", "b"), requires="<4,>=3.11"))
