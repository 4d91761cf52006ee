"""Whether a request may do what it asks for."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from http import HTTPStatus

from starlette.requests import Request

from nebula_lab.registry.server.answers import Refusal
from nebula_lab.registry.server.tokens import Token, TokenFile

__all__ = ["Access"]

_CHALLENGE = {"www-authenticate": "Bearer"}
_LONGEST = 1_000


class Access:
    """Knows the tokens.

    Args:
        tokens: their file; None where nobody may change anything.
        private: whether reading takes a token too.
    """

    def __init__(self, tokens: TokenFile | None, *, private: bool) -> None:
        self._tokens = tokens
        self._private = private

    def require_reader(self, request: Request) -> None:
        """Let a request pass that may read.

        Raises:
            Refusal: it may not.
        """
        if self._private:
            self._token(request)

    def require_keeper(self, request: Request) -> Token:
        """The token of a request that may change something.

        Raises:
            Refusal: there is none, or it may change nothing.
        """
        token = self._token(request)
        if not token.ids:
            raise _forbidden("this token may only read")
        return token

    def require_keeper_of(self, token: Token, plugin_id: str) -> None:
        """Let a token pass that may change that plugin; as `require_keeper`."""
        if not token.may_change(plugin_id):
            raise _forbidden(f"this token may not change {plugin_id}")

    def _token(self, request: Request) -> Token:
        if self._tokens is None:
            raise _forbidden("this registry takes no changes: it was started without tokens")
        secret = _secret(request.headers.get("authorization", ""))
        if not secret:
            raise Refusal(
                HTTPStatus.UNAUTHORIZED,
                "no_token",
                "this takes a token",
                "Send it as `Authorization: Bearer TOKEN`.",
                headers=_CHALLENGE,
            )
        token = self._tokens.find(secret)
        if token is None:
            raise Refusal(
                HTTPStatus.UNAUTHORIZED,
                "wrong_token",
                "the token is none of this registry",
                "It may have been removed; ask whoever keeps the registry for another.",
                headers=_CHALLENGE,
            )
        return token


def _forbidden(message: str) -> Refusal:
    return Refusal(
        HTTPStatus.FORBIDDEN, "forbidden", message, "Ask whoever keeps the registry for one."
    )


def _secret(header: str) -> str:
    """The token in a header: by itself, or as a password, since netrc knows no other secrets."""
    kind, _, value = header[:_LONGEST].partition(" ")
    read = _KINDS.get(kind.lower())
    return "" if read is None else read(value.strip())


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


_KINDS: Mapping[str, Callable[[str], str]] = {"bearer": str, "basic": _password}
