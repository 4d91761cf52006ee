"""One request to a registry, with its redirects; whatever goes wrong is an error of ours."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping

import httpx

from nebula_lab.errors import (
    RegistryAnswerError,
    RegistryDownError,
    RegistryError,
    RegistryRefusedError,
)
from nebula_lab.registry.client.address import RegistryAddress, shown
from nebula_lab.registry.client.auth import Authorization
from nebula_lab.registry.client.explaining import (
    ASK,
    failure,
    retry_after,
    status_of,
    too_long,
)
from nebula_lab.registry.client.lanes import Lane, Lanes
from nebula_lab.registry.client.patience import Patience

__all__ = ["Requests", "StoppedError"]

_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REFUSALS = frozenset({401, 403, 407})
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_ANSWERS = frozenset({200, 206, 304, 404, 410, 416})
_FOREIGN = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, ValueError)


class StoppedError(RegistryError):
    """Somebody has said `Requests.stop`."""


class Requests:
    """Sends requests to one registry, and to where it refers to. Any thread may.

    Args:
        address: the registry.
        authorization: its secret.
        patience: how long things may take.

    Attributes:
        stopped: set by `stop`.
    """

    def __init__(
        self, address: RegistryAddress, authorization: Authorization, patience: Patience
    ) -> None:
        self._address = address
        self._authorization = authorization
        self._patience = patience
        self.stopped = threading.Event()
        self._lanes = Lanes(patience, self.stopped)

    @contextlib.contextmanager
    def open(self, url: str, headers: Mapping[str, str] | None = None) -> Iterator[httpx.Response]:
        """The answer to a GET, its content still to come.

        The answer's status is 200, 206, 304, 404, 410 or 416.

        Raises:
            RegistryDownError: there is none, or one that may be another soon.
            RegistryRefusedError: the secret is not taken, or there is none.
            RegistryAnswerError: it is none that a registry should give.
        """
        with contextlib.ExitStack() as stack:
            response = self._send(url, headers or {}, stack)
            self._require_usable(response, url)
            yield response

    def chunks(
        self, response: httpx.Response, url: str, most: int, seconds: float
    ) -> Iterator[bytes]:
        """The content of an answer, as it comes.

        Args:
            response: the answer.
            url: what was asked for.
            most: bytes; nothing is read beyond them.
            seconds: from now, until it must be here.

        Raises:
            RegistryAnswerError: it is longer than `most`.
            RegistryDownError: it was cut off, or did not come in time.
        """
        self._require_length(response.headers.get("Content-Length", ""), most, url)
        until, count = time.monotonic() + seconds, 0
        with self._explained(url):
            for chunk in response.iter_raw():
                count += len(chunk)
                if count > most:
                    raise too_long(url, most)
                if time.monotonic() > until:
                    raise RegistryDownError(
                        f"it did not give all of its answer within {seconds:g} s",
                        path=shown(url),
                        hint="Try again; what has come is kept, if it is an archive.",
                    )
                yield chunk

    def stop(self) -> None:
        """End everything that is under way, at once; other threads get a StoppedError."""
        self.stopped.set()
        self._lanes.shut()

    def resume(self) -> None:
        """Go on after `stop`, once nothing is under way any more."""
        self.stopped.clear()

    def close(self) -> None:
        """Let connections go."""
        self._lanes.close()

    def _send(
        self, url: str, headers: Mapping[str, str], stack: contextlib.ExitStack
    ) -> httpx.Response:
        asked = url
        lane = stack.enter_context(self._lanes.free())
        for _ in range(_MOST_REDIRECTS + 1):
            # A secret is for the registry's own host, whoever else it refers to.
            secret = self._authorization.headers() if self._address.is_own(url) else {}
            with self._explained(url):
                request = lane.request(url, {**headers, **secret})
                with self._in_time(url, lane):
                    response = lane.client.send(request, stream=True)
            if response.status_code not in _REDIRECTS:
                stack.callback(response.close)
                return response
            response.close()
            url = self._address.follow(url, response.headers.get("Location", ""))
        raise RegistryAnswerError(
            f"it redirects more than {_MOST_REDIRECTS} times", path=shown(asked), hint=ASK
        )

    def _require_usable(self, response: httpx.Response, url: str) -> None:
        status = response.status_code
        if status in _REFUSALS:
            raise self._refused(status, url)
        if status in _PASSING:
            raise RegistryDownError(
                f"it can't answer at present ({status_of(response)})",
                path=shown(url),
                hint="Try again later.",
                retry_after=retry_after(response.headers.get("Retry-After", "")),
            )
        if status not in _ANSWERS:
            raise RegistryAnswerError(
                f"it answers {status_of(response)}", path=shown(url), hint=ASK
            )
        encoding = response.headers.get("Content-Encoding", "identity")
        if status in (200, 206) and encoding.lower() != "identity":
            raise RegistryAnswerError(
                "it answers in a compressed form, although it was asked not to",
                path=shown(url),
                hint="Whoever keeps the registry should serve the files as they are.",
            )

    def _refused(self, status: int, url: str) -> RegistryRefusedError:
        if status == 407:
            said, hint = (
                "the proxy on the way wants a name and password",
                "Set them in HTTPS_PROXY.",
            )
        elif self._authorization:
            said = f"it refuses the secret that it was given ({status})"
            hint = "It may have expired, or not be for this: see auth beside the registry's url."
        else:
            said = f"it asks for a secret ({status})"
            hint = "Set auth beside the registry's url, such as env:NAME; or netrc or keyring."
        return RegistryRefusedError(said, path=shown(url), hint=hint)

    def _require_length(self, said: str, most: int, url: str) -> None:
        if said.isdecimal() and len(said) < 20 and int(said) > most:
            raise too_long(url, most)

    @contextlib.contextmanager
    def _in_time(self, url: str, lane: Lane) -> Iterator[None]:
        """End the wait for an answer whose headers never come to an end; other requests go on.

        The time-outs of httpx are for one read, and a byte now and then keeps them from passing.
        """
        late = threading.Event()

        def end() -> None:
            late.set()
            lane.shut()

        timer = threading.Timer(self._patience.document, end)
        timer.daemon = True
        timer.start()
        try:
            yield
        except Exception:
            if late.is_set() and not self.stopped.is_set():
                raise RegistryDownError(
                    f"it did not begin to answer within {self._patience.document:g} s",
                    path=shown(url),
                    hint="Try again.",
                ) from None
            raise
        finally:
            timer.cancel()
            timer.join()

    @contextlib.contextmanager
    def _explained(self, url: str) -> Iterator[None]:
        """Turn what httpx raises into errors of ours."""
        try:
            if self.stopped.is_set():
                raise StoppedError("stopped")
            yield
        except _FOREIGN as error:
            if self.stopped.is_set():
                raise StoppedError("stopped") from None
            raise failure(error, url) from None
