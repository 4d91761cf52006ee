"""`nebula-lab registry serve` and `token`."""

from __future__ import annotations

from pathlib import Path

import click

from nebula_lab.cli.failing import PluginCommand, debug_option
from nebula_lab.cli.registry_keys import FILE, folder_argument, key_option, signers_from

_THERE = click.Path(exists=True, dir_okay=False, path_type=Path)
_CLEAR = (
    "Nothing on this machine's network sees to it that nobody listens in: clients refuse http:// "
    "to other machines. Give --tls-cert and --tls-key, or put a proxy with TLS before it."
)


@click.command("serve", cls=PluginCommand)
@folder_argument
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen on this address.")
@click.option(
    "--port",
    default=8765,
    show_default=True,
    type=click.IntRange(0, 65_535),
    help="Listen on this port; 0 takes a free one.",
)
@click.option(
    "--token-file",
    metavar="FILE",
    type=_THERE,
    help="Who may publish and withdraw; see `registry token`. Without it, nobody.",
)
@click.option("--private", is_flag=True, help="Reading takes a token too.")
@key_option
@click.option("--tls-cert", metavar="FILE", type=_THERE, help="A certificate, for https://.")
@click.option("--tls-key", metavar="FILE", type=_THERE, help="The private key to it.")
@debug_option
def serve(
    folder: Path,
    host: str,
    port: int,
    token_file: Path | None,
    private: bool,
    keys: tuple[Path, ...],
    tls_cert: Path | None,
    tls_key: Path | None,
) -> None:
    """Serve the registry in DIR, with search, and uploads by those who have a token.

    With --key for the online key of a signed registry, what would expire is signed anew. With the
    key of targets too, what is published is signed at once; else it waits for `registry sign`.
    """
    _require_server()
    from nebula_lab.registry.publishing.folder import RegistryFolder
    from nebula_lab.registry.server.application import application
    from nebula_lab.registry.server.running import Listening, is_loopback, run
    from nebula_lab.registry.server.tokens import TokenFile

    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key go together")
    if private and token_file is None:
        raise click.UsageError("--private takes --token-file")
    tokens = None if token_file is None else TokenFile(token_file)
    if tokens is not None:
        tokens.read()  # so that what is wrong with it is said now
    registry = RegistryFolder(folder)
    if registry.begin():
        click.echo(f"Began an empty registry in {folder}.", err=True)
    if not is_loopback(host) and tls_cert is None:
        click.echo(_CLEAR, err=True)
    served = application(registry, tokens=tokens, signers=signers_from(keys), private=private)
    where = Listening(host, port, tls_cert, tls_key)
    run(served, where, lambda url: click.echo(f"Serving {folder} at {url}"))


@click.command("token", cls=PluginCommand)
@click.argument("file", type=FILE)
@click.argument("name")
@click.option(
    "--id",
    "ids",
    metavar="PATTERN",
    multiple=True,
    help="It may publish and withdraw these plugins; * and ? stand for any characters. Without, "
    "it may only read.",
)
@debug_option
def token(file: Path, name: str, ids: tuple[str, ...]) -> None:
    """Make a token for NAME, print it, and add its hash to FILE.

    The token itself is kept nowhere: give it to whom it is for. Who removes its line from FILE ends
    it at once.
    """
    from nebula_lab.registry.server.tokens import add_token

    click.echo(add_token(file, name, ids))


SERVING_COMMANDS = (serve, token)


def _require_server() -> None:
    """Say how to install what a server needs, where it is not there."""
    from nebula_lab.errors import ConfigError

    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f"serving a registry needs {error.name}, which is not installed",
            hint="pip install 'nebula-lab[registry]'",
        ) from error
