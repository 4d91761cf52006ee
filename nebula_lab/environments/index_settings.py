"""Where packages come from: the user's settings of uv, and of pip where uv has none.

uv reads its own variables and files by itself. What is only in pip's, it does not see; it is handed
over here in uv's variables, which no list of processes shows.
"""

from __future__ import annotations

import configparser
import contextlib
import hashlib
import json
import os
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

__all__ = ["IndexSettings", "index_settings"]

# pip's options, and the variables by which uv takes the same; a list's items by what joins them.
_SAME: Mapping[str, tuple[str, str]] = {
    "index-url": ("UV_DEFAULT_INDEX", ""),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", ""),
    "proxy": ("ALL_PROXY", ""),
}
# Where uv has any of these, they are about packages as a whole, and pip's indexes are left alone.
_OF_INDEXES = ("index-url", "extra-index-url", "find-links")
_UV_INDEX_VARIABLES = (
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
)
_UV_INDEX_KEYS = ("index", "index-url", "extra-index-url", "find-links", "no-index")
_YES = ("1", "true", "yes", "on")
_PROXIES = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy", "https_proxy", "http_proxy")
# What changes nothing about which packages there are.
_OF_NO_INTEREST = re.compile(
    r"UV_(CACHE_DIR|NO_CACHE|LINK_MODE|NO_PROGRESS|HTTP_|CONCURRENT_|LOG|STACK|PYTHON_|TOOL_|OFFLINE)"
)
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+@")


class IndexSettings(Struct, frozen=True):
    """What uv is told beside what it finds.

    Attributes:
        variables: of its environment.
        arguments: options for which it has no variable.
        fingerprint: equal where the same packages are to be had; no secret is in it.
    """

    variables: Mapping[str, str]
    arguments: tuple[str, ...]
    fingerprint: str


def index_settings() -> IndexSettings:
    """The user's, as they are now."""
    files = [_read(path) for path in _uv_files()]
    pip, has_indexes = _pip_settings(), _uv_has_indexes(files)
    variables = _passed_on(pip, has_indexes)
    is_off = pip.get("no-index", "").lower() in _YES and not has_indexes
    arguments = ("--no-index",) if is_off else ()
    if "UV_INDEX" in variables and not _has_strategy(files):
        # pip takes the best of all indexes; with uv's own way the first that has a package would
        # hide the versions that the others have.
        variables["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    counted = {
        name: value
        for name, value in {**os.environ, **variables}.items()
        if name.startswith("UV_") and not _OF_NO_INTEREST.match(name)
    }
    text = json.dumps([sorted(counted.items()), arguments, files], sort_keys=True, default=str)
    fingerprint = hashlib.sha256(_USER_INFO.sub("", text).encode()).hexdigest()
    return IndexSettings(variables, arguments, fingerprint)


def _passed_on(pip: Mapping[str, str], uv_has_indexes: bool) -> dict[str, str]:
    found = {}
    for option, (variable, joint) in _SAME.items():
        if option not in pip or variable in os.environ:
            continue
        if uv_has_indexes and option in _OF_INDEXES:
            continue
        if option == "proxy" and any(name in os.environ for name in _PROXIES):
            continue
        words = pip[option].split()
        found[variable] = joint.join(words) if joint else (words or [""])[0]
    return {name: value for name, value in found.items() if value}


def _pip_settings() -> dict[str, str]:
    """pip's options: of its files the later ones win, and its variables over them."""
    found: dict[str, str] = {}
    for path in _pip_files():
        parser = configparser.RawConfigParser()
        with contextlib.suppress(OSError, ValueError, configparser.Error):
            parser.read_string(path.read_text("utf-8"))
            for section in ("global", "install"):
                if parser.has_section(section):
                    found |= {name.replace("_", "-"): text for name, text in parser.items(section)}
    for name, value in os.environ.items():
        if name.startswith("PIP_") and value:
            found[name.removeprefix("PIP_").lower().replace("_", "-")] = value
    return found


def _pip_files() -> list[Path]:
    """As pip's documentation lists them, the site's first."""
    given = os.environ.get("PIP_CONFIG_FILE")
    if given == os.devnull:
        return []
    shared = os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    files = [Path(one) / "pip" / "pip.conf" for one in shared.split(os.pathsep) if one]
    files += [Path("/etc/pip.conf"), Path.home() / ".pip" / "pip.conf"]
    files += [_config_home() / "pip" / "pip.conf", Path(sys.prefix) / "pip.conf"]
    return [*files, Path(given)] if given else files


def _config_home() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")


def _uv_files() -> list[Path]:
    if given := os.environ.get("UV_CONFIG_FILE"):
        return [Path(given)]
    if os.environ.get("UV_NO_CONFIG"):
        return []
    return [Path("/etc/uv/uv.toml"), _config_home() / "uv" / "uv.toml"]


def _read(path: Path) -> dict[str, Any]:
    """uv says itself what is wrong with one that can't be read."""
    with contextlib.suppress(OSError, ValueError):
        return tomllib.loads(path.read_text("utf-8"))
    return {}


def _uv_has_indexes(files: list[dict[str, Any]]) -> bool:
    if any(os.environ.get(name) for name in _UV_INDEX_VARIABLES):
        return True
    tables = [table for file in files for table in (file, file.get("pip"))]
    return any(key in table for table in tables if table for key in _UV_INDEX_KEYS)


def _has_strategy(files: list[dict[str, Any]]) -> bool:
    tables = [table for file in files for table in (file, file.get("pip"))]
    is_in_file = any("index-strategy" in table for table in tables if table)
    return is_in_file or bool(os.environ.get("UV_INDEX_STRATEGY"))
