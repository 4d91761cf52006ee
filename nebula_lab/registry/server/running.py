"""Runs the server until it is told to end."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from nebula_lab.errors import ConfigError

if TYPE_CHECKING:
    from starlette.applications import Starlette

__all__ = ["Listening", "is_loopback", "run"]

_LOG = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "loggers": {
        "uvicorn.error": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        # Method, path and status; never a header, and so never a token.
        "uvicorn.access": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        "nebula_lab.registry": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}
_MOST_CONNECTIONS = 500


class Listening(Struct, frozen=True):
    """Where a server listens.

    Attributes:
        host: a name or address of this machine.
        port: 0 takes one that is free.
        certificate: file with the certificate and those that vouch for it, for TLS.
        private_key: file with its key.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    certificate: Path | None = None
    private_key: Path | None = None


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def run(application: Starlette, where: Listening, tell: Callable[[str], object]) -> None:
    """Serve until SIGINT or SIGTERM; what is under way then is finished.

    Args:
        application: answers.
        where: to listen.
        tell: is given the address once it can be asked.

    Raises:
        ConfigError: it can't listen there, or not with this certificate.
    """
    import uvicorn

    config = uvicorn.Config(
        application,
        host=where.host,
        port=where.port,
        log_config=_LOG,
        ssl_certfile=where.certificate,
        ssl_keyfile=where.private_key,
        server_header=False,
        proxy_headers=False,
        ws="none",
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=10,
    )
    try:
        config.load()
    except OSError as error:  # also what OpenSSL says
        raise ConfigError(
            f"{where.certificate} and {where.private_key} are no certificate and its key: {error}",
            hint="Both are files in PEM; the key has to be the one of that certificate.",
        ) from error
    try:
        listener = _listener(where)
    except (OSError, OverflowError) as error:
        raise ConfigError(
            f"can't listen on {where.host}:{where.port}: {error}",
            hint="Is another server there already? Take another with --port; 0 takes a free one.",
        ) from error
    with listener:
        host, port = listener.getsockname()[:2]
        scheme = "https" if where.certificate else "http"
        tell(f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}")
        uvicorn.Server(config).run(sockets=[listener])


def _listener(where: Listening) -> socket.socket:
    family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only for sockets that say that they are TCP. With it, each
    # answer waits 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((where.host, where.port))
        listener.listen()
    except BaseException:
        listener.close()
        raise
    return listener
