"""Has packages chosen for what a plugin asks for, and remembers the answer."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from nebula_lab.environments.cache_layout import CacheLayout
from nebula_lab.environments.choosing_sources import (
    SourceSettings,
    choose_with_sources,
    source_only,
)
from nebula_lab.environments.host_packages import preferred_versions
from nebula_lab.environments.interpreters import Interpreter
from nebula_lab.environments.requirement_list import packages_in
from nebula_lab.environments.source_tree import looking_at
from nebula_lab.environments.stages import STAGES, BuildWatcher
from nebula_lab.environments.uv_tool import Uv, UvError
from nebula_lab.model.lock import LockedEnvironment, LockedPackage
from nebula_lab.model.python_needs import PythonNeeds

__all__ = ["Question", "answer_key", "choose_packages", "lock_key", "remembered"]

_FORMAT = 1  # of what is kept; another one is asked anew
_decoder = msgspec.json.Decoder(LockedEnvironment)


class Question(Struct, frozen=True):
    """What the resolver is asked.

    Attributes:
        needs: what a plugin asks for.
        interpreter: the Python that it is for.
        host: what is needed besides, as in PEP 508.
    """

    needs: PythonNeeds
    interpreter: Interpreter
    host: tuple[str, ...]


def lock_key(needs: PythonNeeds, interpreter: Interpreter) -> str:
    """What a lock file calls the answer to this question, on any machine of this kind."""
    asked = _digest([needs.requires, needs.dependencies, needs.allow_source])
    return f"{interpreter.tag}-{interpreter.platform}-{asked[:16]}"


def answer_key(question: Question, uv: Uv, allows: str = "") -> str:
    """Equal where the same question would be put to the same indexes.

    Args:
        question: what is asked.
        uv: has the indexes.
        allows: what may be built from source, in words; "" for nothing.
    """
    return _digest(
        [
            _FORMAT,
            lock_key(question.needs, question.interpreter),
            question.interpreter.version,
            question.host,
            preferred_versions(),
            uv.fingerprint,
            *([allows] if allows else []),
        ]
    )


def remembered(key: str, layout: CacheLayout) -> LockedEnvironment | None:
    """The answer that was given before, if there was one."""
    try:
        answer = _decoder.decode(layout.answer(key).read_bytes())
        os.utime(layout.answer(key))  # it is still in use: see `remove_unused`
        return answer
    except (OSError, msgspec.MsgspecError):  # it is asked again, and written anew
        return None


def choose_packages(
    question: Question,
    key: str,
    layout: CacheLayout,
    uv: Uv,
    watcher: BuildWatcher,
    sources: SourceSettings | None = None,
) -> LockedEnvironment:
    """Ask the resolver, and keep its answer.

    Args:
        question: what is asked.
        key: see `answer_key`.
        layout: where the answer is kept.
        uv: the resolver.
        watcher: is told, and asked whether it is still wanted.
        sources: what may be built from source; nothing without.

    Raises:
        UvError: there is none; with the resolver's own explanation.
        SourceError: a package that is there as source only can't be built, or may not be.
        OSError: it can't be written.
        CancelledError: it is not wanted any more.
    """
    folder = layout.new / f"answer-{secrets.token_hex(4)}"
    folder.mkdir(0o700, parents=True)
    try:
        packages = _choose(question, folder, uv, watcher, sources)
        answer = LockedEnvironment(
            key=lock_key(question.needs, question.interpreter),
            python=question.needs.requires,
            requirements=question.needs.dependencies,
            packages=packages,
        )
        layout.answers.mkdir(0o700, parents=True, exist_ok=True)
        written = folder / "answer.json"
        written.write_bytes(msgspec.json.encode(answer))
        os.replace(written, layout.answer(key))  # noqa: PTH105
        return answer
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _choose(
    question: Question,
    folder: Path,
    uv: Uv,
    watcher: BuildWatcher,
    sources: SourceSettings | None,
) -> tuple[LockedPackage, ...]:
    resolve = partial(_resolve, question, folder, uv, watcher)
    try:
        return resolve(frozenset(), ())
    except UvError as error:
        # Wheels are taken where they will do, older ones too: nothing of a stranger's runs then.
        if sources is None or source_only(error) is None:
            raise
        return choose_with_sources(resolve, sources, error)


def _resolve(
    question: Question,
    folder: Path,
    uv: Uv,
    watcher: BuildWatcher,
    looked_at: frozenset[str],
    wheels: tuple[str, ...],
) -> tuple[LockedPackage, ...]:
    """Ask uv, which looks at the sources of some packages, and has wheels in some folders."""
    asked, found = folder / "asked.in", folder / "found.txt"
    asked.write_text("\n".join([*question.needs.dependencies, *question.host, ""]), "utf-8")
    # What stands in the file that is written to is preferred, and given up where it does not fit.
    found.write_text("\n".join([*preferred_versions(), ""]), "utf-8")
    watcher.at(STAGES[0])
    uv = uv.with_wheels(wheels)
    arguments = (
        *("pip", "compile", str(asked), "--output-file", str(found), "--generate-hashes"),
        *("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
        *uv.index_arguments,
    )
    python = question.interpreter.path
    listening = (folder, lambda line: watcher.at(STAGES[0], line), watcher.is_cancelled)
    if looked_at:
        uv.look((*arguments, *looking_at(*sorted(looked_at))), python, *listening)
    else:
        uv.run((*arguments, "--python", python, "--no-build"), *listening)
    try:
        return packages_in(found.read_text("utf-8"))
    except ValueError as error:
        raise UvError(f"uv has chosen what can't be installed by hash: {error}") from error


def _digest(values: Any) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()
