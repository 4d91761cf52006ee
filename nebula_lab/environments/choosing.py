"""Has packages chosen for what a plugin asks for, and remembers the answer."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from nebula_lab.environments.cache_layout import CacheLayout
from nebula_lab.environments.host_packages import preferred_versions
from nebula_lab.environments.interpreters import Interpreter
from nebula_lab.environments.requirement_list import packages_in
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


def answer_key(question: Question, uv: Uv) -> str:
    """Equal where the same question would be put to the same indexes."""
    return _digest(
        [
            _FORMAT,
            lock_key(question.needs, question.interpreter),
            question.interpreter.version,
            question.host,
            preferred_versions(),
            uv.fingerprint,
        ]
    )


def remembered(key: str, layout: CacheLayout) -> LockedEnvironment | None:
    """The answer that was given before, if there was one."""
    try:
        return _decoder.decode(layout.answer(key).read_bytes())
    except (OSError, msgspec.MsgspecError):  # it is asked again, and written anew
        return None


def choose_packages(
    question: Question, key: str, layout: CacheLayout, uv: Uv, watcher: BuildWatcher
) -> LockedEnvironment:
    """Ask the resolver, and keep its answer.

    Raises:
        UvError: there is none; with the resolver's own explanation.
        OSError: it can't be written.
        CancelledError: it is not wanted any more.
    """
    folder = layout.new / f"answer-{secrets.token_hex(4)}"
    folder.mkdir(0o700, parents=True)
    try:
        packages = _resolve(question, folder, uv, watcher)
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


def _resolve(
    question: Question, folder: Path, uv: Uv, watcher: BuildWatcher
) -> tuple[LockedPackage, ...]:
    asked, found = folder / "asked.in", folder / "found.txt"
    asked.write_text("\n".join([*question.needs.dependencies, *question.host, ""]), "utf-8")
    # What stands in the file that is written to is preferred, and given up where it does not fit.
    found.write_text("\n".join([*preferred_versions(), ""]), "utf-8")
    watcher.at(STAGES[0])
    uv.run(
        (
            *("pip", "compile", str(asked), "--output-file", str(found)),
            *("--python", question.interpreter.path, "--generate-hashes", "--no-build"),
            *("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
            *uv.index_arguments,
        ),
        folder,
        lambda line: watcher.at(STAGES[0], line),
        watcher.is_cancelled,
    )
    try:
        return packages_in(found.read_text("utf-8"))
    except ValueError as error:
        raise UvError(f"uv has chosen what can't be installed by hash: {error}") from error


def _digest(values: Any) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()
