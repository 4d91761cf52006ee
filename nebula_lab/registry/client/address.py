"""Where a registry is, and whom its secrets may be told."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urljoin, urlsplit

from msgspec import Struct

from nebula_lab.errors import ConfigError, RegistryAnswerError
from nebula_lab.model.discovery_strategy import Registry

__all__ = ["RegistryAddress", "address_of", "shown", "split"]

_PORTS = {"https": 443, "http": 80}
Origin = tuple[str, str, int]


class RegistryAddress(Struct, frozen=True):
    """The address of a registry.

    Attributes:
        url: ends with a slash, and has no secrets in it.
        insecure: whether it may be asked over plain http although it is on another machine.
    """

    url: str
    insecure: bool = False

    @classmethod
    def parse(cls, url: str, *, insecure: bool = False) -> RegistryAddress:
        """The address that a configuration gives.

        Raises:
            ConfigError: it is none, has a secret in it, or would be asked without TLS.
        """
        parts = split(url)
        if parts is None:
            raise ConfigError(
                "the address of a registry begins with https:// and a host",
                hint="Such as https://plugins.example.org/team/.",
            )
        if parts.username is not None or parts.password is not None:
            raise ConfigError(
                f"the address of the registry on {parts.hostname} has a name or password in it",
                hint="Take it out, and write auth: env:NAME, netrc or keyring:SERVICE.",
            )
        if parts.query or parts.fragment:
            raise ConfigError(
                f"the address of the registry {shown(url)} has a ? or # in it",
                hint="Give the folder that has the index.json.",
            )
        if not _is_private_enough(parts, insecure):
            raise ConfigError(
                f"the registry {shown(url)} would be asked without TLS, and so could anybody on "
                "the way say what you install",
                hint="Use https://. In a network that you trust, set insecure: true beside it.",
            )
        return cls(parts._replace(path=parts.path.rstrip("/") + "/").geturl(), insecure)

    @property
    def origin(self) -> Origin:
        """Scheme, host and port: a secret is for these only."""
        parts = split(self.url)
        assert parts is not None
        return _origin(parts)

    def is_own(self, url: str) -> bool:
        """Whether a secret of this registry may be sent with a request for `url`."""
        parts = split(url)
        return parts is not None and _origin(parts) == self.origin

    def join(self, path: str) -> str:
        """The address of a file of the registry.

        Raises:
            RegistryAnswerError: as `follow`; `path` may be a whole address, given by a stranger.
        """
        return self.follow(self.url, path)

    def follow(self, base: str, target: str) -> str:
        """Where a reference leads, if one may go there.

        Args:
            base: the address of what has the reference.
            target: the reference.

        Raises:
            RegistryAnswerError: it is no web address, or leads from TLS to no TLS.
        """
        try:
            url = urljoin(base, target)
        except ValueError:
            url = ""
        parts, before = split(url), split(base)
        if parts is None or parts.username is not None or before is None:
            raise RegistryAnswerError(
                "it leads to what is no web address",
                path=shown(base),
                hint="Ask whoever keeps the registry.",
            )
        allowed = self.insecure or before.scheme == "http"
        if parts.scheme == "http" and not (allowed and _is_private_enough(parts, self.insecure)):
            raise RegistryAnswerError(
                f"it leads to {parts.hostname} without TLS",
                path=shown(base),
                hint="It is not followed. Ask whoever keeps the registry.",
            )
        return url


def address_of(registry: Registry) -> str:
    """The address of a registry in one way of writing it; as it is written, where it is none."""
    try:
        return RegistryAddress.parse(registry.url, insecure=True).url
    except ConfigError:
        return registry.url


def split(url: str) -> SplitResult | None:
    """The parts of a web address; None if it is none."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - it raises for a port that is none
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or not url.isascii():
        return None
    return parts


def shown(url: str) -> str:
    """An address for people: without whatever may be a secret in it."""
    parts = split(url)
    if parts is None:
        return "an address that is none"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port is None else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}{parts.path}"


def _origin(parts: SplitResult) -> Origin:
    return parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme]


def _is_private_enough(parts: SplitResult, insecure: bool) -> bool:
    return parts.scheme == "https" or insecure or _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
