"""What went wrong with a request, as errors of ours.

Messages of httpx and of servers are not passed on: they may have in them what was sent.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from nebula_lab.errors import RegistryAnswerError, RegistryDownError, RegistryError
from nebula_lab.registry.client.address import shown

__all__ = ["ASK", "failure", "retry_after", "status_of", "too_long"]

ASK = "Ask whoever keeps the registry."


def failure(error: Exception, url: str) -> RegistryError:
    """What httpx raised, as an error of ours, without its words: a secret may be among them."""
    if isinstance(error, httpx.ConnectError):
        return _unreachable(error, url)
    for kind, message, hint in _FAILURES:
        if isinstance(error, kind):
            return RegistryDownError(message, path=shown(url), hint=hint)
    return RegistryAnswerError("it does not speak HTTP as it should", path=shown(url), hint=ASK)


def _unreachable(error: BaseException, url: str) -> RegistryDownError:
    """Why there is no connection. Nothing had been sent yet, and the words are the system's."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            said = f"its certificate is not trusted: {cause.verify_message}"
            return RegistryDownError(said, path=shown(url), hint=_VOUCH)
        for kind, message, hint in _NO_CONNECTION:
            if isinstance(cause, kind):
                said = message.format(host=urlsplit(url).hostname)
                return RegistryDownError(f"it can't be reached: {said}", path=shown(url), hint=hint)
    return RegistryDownError("it can't be reached", path=shown(url), hint=_CHECK)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


_CHECK = "Check the address and the network; HTTPS_PROXY and NO_PROXY are heeded."
_VOUCH = (
    "Nothing was sent to it. If an authority of your own vouches for it, name the file with that "
    "in SSL_CERT_FILE."
)
_NO_CONNECTION: tuple[tuple[type[BaseException], str, str], ...] = (
    (ssl.SSLError, "it does not speak TLS as it should", "Is it at https:// at all, on this port?"),
    (socket.gaierror, "no address is known for {host}", _CHECK),
    (ConnectionRefusedError, "nothing listens there", _CHECK),
)
_FAILURES: tuple[tuple[type[Exception], str, str], ...] = (
    (httpx.ConnectTimeout, "it did not take the connection in time", _CHECK),
    (httpx.PoolTimeout, "too many requests to it are under way", "Try again."),
    (httpx.TimeoutException, "it has stopped answering", "Try again."),
    (httpx.ProxyError, "the proxy on the way does not let the request through", _CHECK),
    (httpx.RemoteProtocolError, "it ended the connection in the middle", "Try again."),
    (httpx.NetworkError, "the connection to it broke", "Try again."),
    (OSError, "the connection to it broke", "Try again."),
)


def status_of(response: httpx.Response) -> str:
    # The words behind the number are the server's own, so they are not shown.
    known = httpx.codes.get_reason_phrase(response.status_code)
    return f"{response.status_code} {known}".rstrip()


def retry_after(text: str) -> float | None:
    """Seconds that a registry asks to be left alone for."""
    if text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def too_long(url: str, most: int) -> RegistryAnswerError:
    return RegistryAnswerError(
        f"its answer is longer than the {most:,} bytes that are read", path=shown(url), hint=ASK
    )
