"""Packages without a wheel: built where the user lets them be, by code that can't do any harm."""

from __future__ import annotations

import hashlib
import os
import socket
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from local_sources import write_project
from local_wheels import repack, write_source, write_wheel
from packaging.requirements import Requirement

from nebula_lab.environments.built_wheel import check_wheel
from nebula_lab.environments.cache import EnvironmentCache
from nebula_lab.environments.source_error import SourceError
from nebula_lab.environments.stages import BuildWatcher
from nebula_lab.environments.upkeep import remove_unused
from nebula_lab.environments.uv_tool import CancelledError
from nebula_lab.errors import EnvironmentFailedError
from nebula_lab.model import PythonNeeds
from nebula_lab.model.lock import LockFile
from nebula_lab.model.python_config import PythonConfig

ALLOWED = PythonConfig(allow_source=True)


def needs(*dependencies, **more):
    return PythonNeeds(dependencies=dependencies, **more)


def seen(environment, name):
    namespace = {}
    exec(Path(environment.packages[0], f"{name}.py").read_text(), namespace)
    return namespace["seen"]


@pytest.fixture
def building(index):
    """A cache of a user who lets everything be built."""
    found = EnvironmentCache(host=(), python=ALLOWED)
    yield found
    found.close()


def test_a_package_without_a_wheel_is_built_and_what_depends_on_it_is_installed(index, building):
    write_wheel(index, "under", "1.0")
    write_project(index, "middle", depends="Requires-Dist: under\\n")
    write_wheel(index, "above", "1.0", requires=["middle"])
    stages = []
    environment = building.ready(needs("above"), BuildWatcher(stages.append))
    installed = {one.name for one in Path(environment.packages[0]).iterdir()}
    assert {"under.py", "middle.py", "above.py"} <= installed
    assert any("building middle 1.0 from source" in one.text for one in stages)


def test_two_that_depend_on_each_other_s_source_are_both_built(index, building):
    write_project(index, "first_source")
    write_project(index, "second_source", depends="Requires-Dist: first-source\\n")
    environment = building.ready(needs("second_source"))
    assert seen(environment, "first_source") == seen(environment, "second_source") == 1


def test_a_source_that_says_what_it_depends_on_is_built_too(index, building):
    write_project(index, "static_source", metadata="2.2")
    assert seen(building.ready(needs("static_source")), "static_source") == 1


def test_an_older_wheel_is_taken_before_anything_is_built(index, building):
    write_wheel(index, "both", "1.0", {"both.py": "seen = 'a wheel'\n"})
    write_project(index, "both", "2.0")
    assert seen(building.ready(needs("both")), "both") == "a wheel"
    assert seen(building.ready(needs("both>=2")), "both") == 1


def test_a_build_gets_what_it_asks_for_before_and_while_it_runs(index, building):
    for name in ("at_first", "at_last"):
        write_wheel(index, name, "3.0")
    write_project(
        index,
        "asking",
        requires="'at_first'",
        before="import at_first\n"
        "def get_requires_for_build_wheel(settings=None):\n    return ['at_last']",
        seen="[at_first.__version__, __import__('at_last').__version__]",
    )
    assert seen(building.ready(needs("asking")), "asking") == ["3.0", "3.0"]


def with_dependencies(name):
    """A package that is installed here, and all that it depends on."""
    found, pending = [], [name]
    while pending:
        one = Requirement(pending.pop())
        if one.name not in found and (one.marker is None or one.marker.evaluate({"extra": ""})):
            found.append(one.name)
            pending += distribution(one.name).requires or ()
    return found


def test_a_real_back_end_builds_in_there(index, building):
    for name in with_dependencies("hatchling"):
        repack(name, index)
    files = {
        "pyproject.toml": "[build-system]\nrequires = ['hatchling']\n"
        "build-backend = 'hatchling.build'\n[project]\nname = 'hatched'\nversion = '1.0'\n",
        "hatched/__init__.py": "seen = 1\n",
    }
    write_source(index, "hatched", "1.0", files)
    environment = building.ready(needs("hatched"))
    assert Path(environment.packages[0], "hatched", "__init__.py").exists()


HOSTILE = """
import os, socket, subprocess, sys

def tried(what):
    try:
        return what()
    except BaseException as error:
        return type(error).__name__

def reach(kind, address):
    with socket.socket(kind) as one:
        one.settimeout(5)
        one.connect(address)
    return "reached"

found = {{
    "home": tried(lambda: open({secret!r}).read()),
    "written": tried(lambda: open({target!r}, "w").close()),
    "changed": tried(lambda: open(__import__("encodings").__file__, "a").close()),
    "cache": tried(lambda: os.listdir({cache!r})),
    "inet": tried(lambda: reach(socket.AF_INET, ("127.0.0.1", {port}))),
    "unix": tried(lambda: reach(socket.AF_UNIX, {unix!r})),
    "variable": os.environ.get("SECRET_TOKEN"),
    "others": sorted(int(one) for one in os.listdir("/proc") if one.isdigit())[-1] < 50,
    "starts": tried(lambda: subprocess.run([sys.executable, "-c", "print(42)"],
                    capture_output=True, text=True, check=True).stdout.strip()),
    "scratch": tried(lambda: open("kept", "w").write("x")),
}}
subprocess.Popen(["sleep", "600"], start_new_session=True)
"""


def test_a_build_reaches_nothing_of_the_user_s(index, building, tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "xyzzy")
    secret = tmp_path / "id_ed25519"
    secret.write_text("a key")
    with (
        socket.create_server(("127.0.0.1", 0)) as inet,
        socket.socket(socket.AF_UNIX) as unix,
    ):
        unix.bind(str(tmp_path / "socket"))
        unix.listen()
        tries = HOSTILE.format(
            secret=str(secret),
            target=str(tmp_path / "written"),
            cache=os.environ["UV_CACHE_DIR"],
            port=inet.getsockname()[1],
            unix=str(tmp_path / "socket"),
        )
        write_project(index, "hostile", before=tries, seen="found")
        found = seen(building.ready(needs("hostile")), "hostile")
    assert found.pop("variable") is None
    assert found.pop("others")
    assert found.pop("starts") == "42"
    assert found.pop("scratch") == 1
    assert not (tmp_path / "written").exists()
    assert set(found.values()) <= {"FileNotFoundError", "PermissionError", "OSError"}, found


def test_what_looks_at_a_source_does_not_run_it_unconfined(index, cache):
    """To know what a source depends on, uv would run it: here the kernel does not let it."""
    ran = write_source(index, "looked_at", "1.0")
    allowing = EnvironmentCache(host=(), python=ALLOWED)
    with pytest.raises(EnvironmentFailedError, match="build asks for can't be had"):
        allowing.ready(needs("looked_at"))  # setuptools, which is not here
    allowing.close()
    assert not ran.exists()


def test_only_what_the_user_names_is_built(index):
    write_project(index, "named")
    write_project(index, "unnamed")
    some = EnvironmentCache(host=(), python=PythonConfig(allow_source=("Named",)))
    assert seen(some.ready(needs("named")), "named") == 1
    with pytest.raises(EnvironmentFailedError, match="unnamed, which is only there as source"):
        some.ready(needs("named", "unnamed"))
    some.close()


def test_a_plugin_can_t_allow_it_itself(index, cache):
    write_project(index, "wished")
    with pytest.raises(EnvironmentFailedError, match="only there as source code") as caught:
        cache.ready(needs("wished", allow_source=True))
    assert "allow_source: [wished]" in caught.value.hint


def test_a_lock_file_can_t_allow_it_either(index, building):
    write_project(index, "locked_source")
    locked = building.chosen(needs("locked_source"))
    careful = EnvironmentCache(host=(), locked={locked.key: locked}.get)
    with pytest.raises(EnvironmentFailedError, match="only there as source code"):
        careful.ready(needs("locked_source"))
    careful.close()


def test_the_lock_has_the_hashes_of_source_and_wheel_and_both_are_held_to(index, building):
    write_project(index, "twice")
    locked = building.chosen(needs("twice"))
    (package,) = locked.packages
    archive = (index / "twice-1.0.tar.gz").read_bytes()
    assert package.source == f"sha256:{hashlib.sha256(archive).hexdigest()}"
    assert package.source in LockFile().with_environments([locked]).text
    remove_unused(building.layout, 0.0)  # what was built here is forgotten, as on another machine
    again = EnvironmentCache(host=(), python=ALLOWED, locked={locked.key: locked}.get)
    assert seen(again.ready(needs("twice")), "twice") == 1
    again.close()
    remove_unused(building.layout, 0.0)
    write_project(index, "twice", seen="2")
    other = EnvironmentCache(host=(), python=ALLOWED, locked={locked.key: locked}.get)
    with pytest.raises(EnvironmentFailedError, match="its hash is another"):
        other.ready(needs("twice"))
    other.close()


def test_a_build_that_comes_out_differently_each_time_is_not_what_was_locked(index, building):
    write_project(index, "random_one", seen="__import__('os').urandom(9)")
    locked = building.chosen(needs("random_one"))
    remove_unused(building.layout, 0.0)
    other = EnvironmentCache(host=(), python=ALLOWED, locked={locked.key: locked}.get)
    with pytest.raises(EnvironmentFailedError, match="another wheel than was chosen"):
        other.ready(needs("random_one"))
    other.close()


@pytest.mark.parametrize(
    ("name", "parts", "complaint"),
    [
        ("misnamed", {"wheel": "pip-99-py3-none-any.whl"}, "a wheel of pip 99"),
        ("no_wheel", {"wheel": "x.whl"}, "which is no wheel"),
        ("mislabelled", {"says": "pip"}, "says it is pip"),
        ("leaving", {"more": "put('../../outside', '')"}, "'../../outside' in it"),
        ("raising", {"before": "raise RuntimeError('no \\x1b[31mcompiler')"}, "exit code 1"),
        ("vanishing", {"before": "os._exit(0)"}, "build from source failed"),
        ("noisy", {"before": "os.write(int(__import__('sys').argv[2]), b'x' * 10**6)"}, "gave"),
    ],
)
def test_what_is_no_wheel_of_this_package_is_refused(index, building, name, parts, complaint):
    write_project(index, name, **parts)
    with pytest.raises(EnvironmentFailedError, match=complaint) as caught:
        building.ready(needs(name))
    assert name.replace("_", "-") in caught.value.message
    assert "\x1b" not in str(caught.value)
    assert not list(building.layout.new.glob("*"))


def test_a_build_that_is_not_wanted_any_more_is_ended(index, building, tmp_path):
    write_project(index, "endless", before="print('begun', flush=True)\nwhile True: pass")
    polls = []

    def is_cancelled():
        polls.append(1)
        return building_began() and len(polls) > 3

    def building_began():
        return any(building.layout.new.glob("source-*/made/1/root"))

    with pytest.raises(CancelledError):
        building.ready(needs("endless"), BuildWatcher(is_cancelled=is_cancelled))
    assert not list(building.layout.new.glob("*"))


def test_a_wheel_that_would_fill_the_disk_is_refused(tmp_path):
    path = tmp_path / "bomb.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name in ("one", "two"):
            wheel.writestr(name, "")
    content = bytearray(path.read_bytes())
    at = content.find(b"PK\x01\x02")
    while at >= 0:  # in each entry of its directory, the size of what is unpacked
        content[at + 24 : at + 28] = b"\xf0\xff\xff\xff"
        at = content.find(b"PK\x01\x02", at + 4)
    path.write_bytes(content)
    with pytest.raises(SourceError, match="too large"):
        check_wheel(path, "bomb", "1.0")
