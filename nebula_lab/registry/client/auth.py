"""The secret of a registry: where it is to be had, and how it is kept out of sight."""

from __future__ import annotations

import base64
import netrc
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from nebula_lab.errors import ConfigError, RegistryRefusedError
from nebula_lab.registry.client.address import RegistryAddress, split

__all__ = ["Authorization", "authorization_for", "FORMS"]

FORMS = "token:TEXT, basic:USER:PASSWORD, env:NAME, netrc, keyring:SERVICE or keyring:SERVICE:USER"
# What a header can carry. Whoever complains of another value would print it.
_FIT = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_HIDDEN = "[secret]"


class Authorization:
    """A secret. No text that is made of this has it, whatever happens.

    Args:
        header: the value of the header `Authorization`; None where there is no secret.
        parts: what is never to be seen.
    """

    __slots__ = ("_header", "_parts")

    def __init__(self, header: str | None = None, parts: tuple[str, ...] = ()) -> None:
        self._header = header
        self._parts = tuple(part for part in parts if part)

    def headers(self) -> dict[str, str]:
        """What to send with a request to the registry itself."""
        return {} if self._header is None else {"Authorization": self._header}

    def hidden_in(self, text: str) -> str:
        """A text of the registry's without the secret, which it may have put there."""
        for part in self._parts:
            text = text.replace(part, _HIDDEN)
        return text

    def hidden_in_content(self, content: bytes) -> bytes:
        """The same for a document, before anybody reads it."""
        for part in self._parts:
            content = content.replace(part.encode(), _HIDDEN.encode())
        return content

    def __bool__(self) -> bool:
        return self._header is not None

    def __repr__(self) -> str:
        return f"<Authorization {_HIDDEN if self else 'none'}>"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret is not to be copied")


def authorization_for(auth: str | None, address: RegistryAddress) -> Authorization:
    """The secret that a configuration means.

    Args:
        auth: one of `FORMS`; None for no secret.
        address: the registry.

    Raises:
        ConfigError: `auth` is none of these.
        RegistryRefusedError: there is no secret where it says.
    """
    if auth is None:
        return Authorization()
    kind, _, rest = auth.partition(":")
    find = _FINDERS.get(kind)
    if find is None or (not rest and kind != "netrc"):
        # It may be the secret itself.
        raise ConfigError(
            "auth of a registry says nothing that is known", hint=f"Write one of {FORMS}."
        )
    return find(rest, address)


def _token(token: str, address: RegistryAddress) -> Authorization:
    token = _fit(token.strip(), "the token", address)
    return Authorization(f"Bearer {token}", (token,))


def _basic(pair: str, address: RegistryAddress) -> Authorization:
    user, colon, password = pair.partition(":")
    if not colon:
        raise ConfigError(
            "auth of a registry has no password", hint="Write basic:USER:PASSWORD, or env:NAME."
        )
    return _user_and_password(user, password, address)


def _user_and_password(user: str, password: str, address: RegistryAddress) -> Authorization:
    if "\n" in password or ":" in user:
        raise _unfit("the name or password", address)
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    return Authorization(f"Basic {encoded}", (encoded, password))


def _environment(name: str, address: RegistryAddress) -> Authorization:
    value = os.environ.get(name, "")
    if not value:
        raise _absent(
            f"the environment variable {name} is not set",
            address,
            f"Set it: a token, or basic:USER:PASSWORD. It is what auth: env:{name} asks for.",
        )
    if value.startswith("basic:"):
        return _basic(value.removeprefix("basic:"), address)
    return _token(value.removeprefix("token:"), address)


def _netrc(file: str, address: RegistryAddress) -> Authorization:
    path = Path(file or os.environ.get("NETRC") or "~/.netrc").expanduser()
    parts = split(address.url)
    assert parts is not None
    try:
        found = netrc.netrc(path).authenticators(parts.hostname or "")
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError) as error:
        # The parser quotes words of the file, which may be a password.
        said = error.strerror if isinstance(error, OSError) else "it is not written as it should be"
        raise _absent(f"{path} can't be read: {said}", address, "See `man netrc`.") from None
    if found is None or not found[2]:
        raise _absent(
            f"{path} has no password for {parts.hostname}",
            address,
            f"Add: machine {parts.hostname} login NAME password PASSWORD",
        )
    return _user_and_password(found[0], found[2], address)


def _keyring(service_and_user: str, address: RegistryAddress) -> Authorization:
    service, _, user = service_and_user.partition(":")
    try:
        import keyring
    except ImportError:
        raise _absent(
            "the package keyring is not installed",
            address,
            "Install it beside nebula_lab: pip install keyring",
        ) from None
    try:
        secret = keyring.get_password(service, user or "token")
    except Exception as error:  # noqa: BLE001 - each of its back ends raises what it likes
        raise _absent(
            f"the keyring can't be asked ({type(error).__name__})",
            address,
            "Unlock it, or see `keyring diagnose`.",
        ) from None
    if not secret:
        raise _absent(
            f"the keyring has nothing for {service}",
            address,
            f"Put it there: keyring set {service} {user or 'token'}",
        )
    return _user_and_password(user, secret, address) if user else _token(secret, address)


_FINDERS: Mapping[str, Callable[[str, RegistryAddress], Authorization]] = {
    "token": _token,
    "basic": _basic,
    "env": _environment,
    "netrc": _netrc,
    "keyring": _keyring,
}


def _fit(value: str, what: str, address: RegistryAddress) -> str:
    if not _FIT.fullmatch(value):
        raise _unfit(what, address)
    return value


def _unfit(what: str, address: RegistryAddress) -> RegistryRefusedError:
    return _absent(f"{what} has characters that can't be sent", address, "Copy it once more.")


def _absent(message: str, address: RegistryAddress, hint: str) -> RegistryRefusedError:
    return RegistryRefusedError(f"no secret: {message}", path=address.url, hint=hint)
