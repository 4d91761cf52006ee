"""Sources that can be built with nothing but themselves."""

from __future__ import annotations

from local_wheels import write_source

PROJECT = """
[build-system]
requires = [{requires}]
build-backend = "backend"
backend-path = ["."]
"""
# A whole back end in the source itself, so that a build needs nothing that is not here.
BACKEND = """
import os, zipfile
{before}

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = {wheel!r}
    info = {info!r} + ".dist-info"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        def put(path, text):
            wheel.writestr(zipfile.ZipInfo(path), text)
        put({name!r} + ".py", "seen = " + repr({seen}))
        put(info + "/METADATA",
            "Metadata-Version: 2.1\\nName: {says}\\nVersion: {version}\\n{depends}")
        put(info + "/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        put(info + "/RECORD", "")
        {more}
    return name
"""


def write_project(index, name, version="1.0", *, requires="", metadata="2.1", **parts):
    """A source whose module has, as `seen`, what its build saw."""
    filled = {
        "before": "",
        "seen": "1",
        "depends": "",
        "more": "",
        "says": name,
        "wheel": f"{name}-{version}-py3-none-any.whl",
        **parts,
    }
    backend = BACKEND.format(name=name, version=version, info=f"{name}-{version}", **filled)
    files = {"pyproject.toml": PROJECT.format(requires=requires), "backend.py": backend}
    write_source(index, name, version, files, metadata)
