"""Gives a registry's server a version, or withdraws one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Self

import httpx
import msgspec
from msgspec import Struct

from nebula_lab._version import __version__
from nebula_lab.errors import (
    PublishingError,
    RegistryAnswerError,
    RegistryDownError,
    RegistryError,
    RegistryRefusedError,
)
from nebula_lab.model.discovery_strategy import Registry
from nebula_lab.registry.building.version import Packed
from nebula_lab.registry.client.address import RegistryAddress
from nebula_lab.registry.client.auth import authorization_for
from nebula_lab.registry.client.explaining import failure

__all__ = ["Published", "Publisher"]

_CHUNK = 64 * 1024
# The server looks at an upload before it answers, for up to two minutes.
_TIMES = httpx.Timeout(30.0, connect=10.0, read=180.0)
_LARGEST_ANSWER = 64 * 1024
_ASK = "Ask whoever keeps the registry."
_GIVE_ONE = (
    "Set NEBULA_LAB_REGISTRY_TOKEN to yours, or say where it is: --auth env:NAME, netrc or "
    "keyring:SERVICE."
)


class Published(Struct, frozen=True):
    """What came of publishing, or of withdrawing.

    Attributes:
        is_new: whether the registry has something now that it had not.
        waiting: by role, what it takes to sign it, before clients that check signatures see it.
    """

    is_new: bool
    waiting: Mapping[str, str] = {}


class _Answer(Struct, frozen=True):
    """What a server says, as far as we need it."""

    error: str = ""
    message: str = ""
    hint: str | None = None
    same: bool = False
    waiting: dict[str, str] = {}


class Publisher:
    """Changes one registry. Its secret goes to the registry itself and nowhere else.

    Args:
        registry: where it is, and with which secret.

    Raises:
        ConfigError: the registry's address or `auth` is wrong.
        RegistryRefusedError: there is no secret where `auth` says.
    """

    def __init__(self, registry: Registry) -> None:
        self._address = RegistryAddress.parse(registry.url, insecure=registry.insecure)
        self._secret = authorization_for(registry.auth, self._address)
        self._client = httpx.Client(
            follow_redirects=False,  # nothing is sent to anybody else
            timeout=_TIMES,
            headers={"User-Agent": f"nebula-lab/{__version__}", **self._secret.headers()},
        )

    def publish(
        self, packed: Packed, progress: Callable[[int, int], object] = lambda done, total: None
    ) -> Published:
        """Publish a version.

        Args:
            packed: it.
            progress: is told the bytes that are sent, and all that there are.

        Returns:
            What came of it; it is not new where the registry has it with the same files.

        Raises:
            PublishingError: the registry has it with other files, or does not take it.
            RegistryRefusedError: the secret is not taken, or may not do this.
            RegistryError: the registry can't be asked.
        """
        archive, version = packed.archive, packed.version
        asked = {
            "id": packed.plugin_id,
            "version": version.version,
            "sha256": version.archive.sha256,
        }
        # A server that would refuse it ends the connection in the middle, and says nothing then.
        with self._sent("GET", "upload", params=asked) as answer:
            if self._is_there(answer):
                return Published(is_new=False)
        with self._sent(
            "POST",
            "upload",
            params={"source": version.source},
            headers={"Content-Type": "application/zip", "Content-Length": str(len(archive))},
            content=_pieces(archive, progress),
        ) as answer:
            if self._is_there(answer):
                return Published(is_new=False)
            return Published(is_new=True, waiting=self._said(answer).waiting)

    def yank(self, plugin_id: str, version: str, reason: str) -> Published:
        """Withdraw a version: who has it keeps it, nobody else is given it; as `publish`."""
        return self._change("yank", id=plugin_id, version=version, reason=reason)

    def unyank(self, plugin_id: str, version: str) -> Published:
        """Offer a version again; as `publish`."""
        return self._change("unyank", id=plugin_id, version=version)

    def _change(self, what: str, **asked: str) -> Published:
        with self._sent("POST", what, json=asked) as answer:
            return Published(is_new=True, waiting=self._said(answer).waiting)

    @contextlib.contextmanager
    def _sent(self, method: str, path: str, **request: object) -> Iterator[httpx.Response]:
        url = self._address.join(path)
        try:
            with self._client.stream(method, url, **request) as response:  # type: ignore[arg-type]
                self._read(response)
                yield response
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            raise failure(error, url) from None

    def _read(self, response: httpx.Response) -> None:
        """Take in an answer, which is short."""
        content = b""
        for chunk in response.iter_raw(_CHUNK):
            content += chunk
            if len(content) > _LARGEST_ANSWER:
                raise RegistryAnswerError(
                    "its answer is longer than that of a registry", path=self.place, hint=_ASK
                )
        response.extensions["nebula_lab.answer"] = content

    @property
    def place(self) -> str:
        """The address, for people; it has no secret in it."""
        return self._address.url

    def _is_there(self, response: httpx.Response) -> bool:
        """Whether the version is there already, with the same files.

        Raises:
            RegistryError: it was refused.
        """
        answer = _answer(response)
        if response.status_code == HTTPStatus.CONFLICT and answer.same:
            return True
        self._said(response)
        return False

    def _said(self, response: httpx.Response) -> _Answer:
        """The answer, if all went well; else raises why not."""
        status, answer = response.status_code, _answer(response)
        if response.is_success:
            return answer
        kind = _ERRORS.get(status, PublishingError if answer.error else RegistryAnswerError)
        if answer.error:
            message, hint = answer.message[:2_000], (answer.hint or _ASK)[:2_000]
            if status == HTTPStatus.UNAUTHORIZED and not self._secret:
                hint = _GIVE_ONE  # the server's own words are for programs that speak HTTP
        else:
            message, hint = _unspoken(response)
        raise kind(
            self._secret.hidden_in(message), path=self.place, hint=self._secret.hidden_in(hint)
        )

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


_ERRORS: Mapping[int, type[RegistryError]] = {
    HTTPStatus.UNAUTHORIZED: RegistryRefusedError,
    HTTPStatus.FORBIDDEN: RegistryRefusedError,
    HTTPStatus.SERVICE_UNAVAILABLE: RegistryDownError,
}


def _answer(response: httpx.Response) -> _Answer:
    try:
        content = response.extensions["nebula_lab.answer"]
        return msgspec.json.decode(content, type=_Answer)
    except msgspec.MsgspecError:
        return _Answer()


def _unspoken(response: httpx.Response) -> tuple[str, str]:
    """What an answer means that is not of a server of ours."""
    status = response.status_code
    if response.is_redirect:
        return f"it redirects ({status}), and nothing is published elsewhere", (
            "Give the address that it redirects to, if that is the registry."
        )
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
        return f"it takes no uploads ({status})", (
            "It may be a folder of files: whoever keeps it adds versions with "
            "`nebula-lab registry build`."
        )
    return f"it answers {status}", _ASK


def _pieces(content: bytes, progress: Callable[[int, int], object]) -> Iterator[bytes]:
    total = len(content)
    for start in range(0, total, _CHUNK):
        progress(start, total)
        yield content[start : start + _CHUNK]
    progress(total, total)
