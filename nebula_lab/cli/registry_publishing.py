"""`nebula-lab registry publish`, `yank`, `unyank` and `trust`: what users of a registry do."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from nebula_lab.cli.failing import ExitCode, PluginCommand, debug_option, json_option

if TYPE_CHECKING:
    from nebula_lab.model.discovery_strategy import Registry
    from nebula_lab.registry.protection.trusting import RootOffer
    from nebula_lab.registry.publishing.publisher import Published

Command = TypeVar("Command", bound=Callable[..., Any])
_VARIABLE = "NEBULA_LAB_REGISTRY_TOKEN"
_RELEASE = re.compile(r"(?P<id>[^@\s]+)@(?P<version>[^@\s]+)")
_MEGABYTE = 1e6


def registry_options(command: Command) -> Command:
    """`URL`, `--auth` and `--insecure`."""
    for option in (
        click.option(
            "--insecure", is_flag=True, help="Ask it over http:// although it is elsewhere."
        ),
        click.option(
            "--auth",
            metavar="FORM",
            help="Where the secret is: env:NAME, netrc or keyring:SERVICE; without, in the "
            f"variable {_VARIABLE} if that is set.",
        ),
        click.argument("url"),
    ):
        command = option(command)
    return command


@click.command("publish", cls=PluginCommand)
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@registry_options
@click.option("--dry-run", is_flag=True, help="Say what would be published, and ask nobody.")
@json_option
@debug_option
def publish(
    path: Path, url: str, auth: str | None, insecure: bool, dry_run: bool, as_json: bool
) -> None:
    """Publish the plugin at PATH: a file, a notebook, a package folder or a manifest.

    Nothing of it runs. A version that is published never changes; one that is there already with
    the same files is fine.
    """
    from nebula_lab.cli.progress import progress_on_stderr
    from nebula_lab.discovery import read_descriptor
    from nebula_lab.registry.building.version import packed
    from nebula_lab.registry.publishing.publisher import Publisher

    made = packed(read_descriptor(path))
    name = f"{made.plugin_id} {made.version.version}"
    document = {
        "id": made.plugin_id,
        "version": made.version.version,
        "archive": {"sha256": made.version.archive.sha256, "size": made.version.archive.size},
        "tree": made.version.tree,
        "signed_by": made.version.signed_by,
    }
    if dry_run:
        size = made.version.archive.size / _MEGABYTE
        _tell(document, f"Would publish {name}, {size:.2f} MB, to {url}", as_json)
        return
    progress = progress_on_stderr()
    with Publisher(_registry(url, auth, insecure)) as publisher:
        try:
            done = publisher.publish(
                made,
                lambda sent, total: progress.report(
                    name, round(sent / _MEGABYTE, 2), round(total / _MEGABYTE, 2), "MB"
                ),
            )
        finally:
            progress.close()
        said = f"Published {name} at" if done.is_new else f"{name} is there already, the same, at"
        _tell_done({**document, "is_new": done.is_new}, done, f"{said} {publisher.place}", as_json)


@click.command("yank", cls=PluginCommand)
@click.argument("release", metavar="ID@VERSION")
@registry_options
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is shown to its users.")
@json_option
@debug_option
def yank(
    release: str, url: str, auth: str | None, insecure: bool, reason: str, as_json: bool
) -> None:
    """Withdraw a version: whoever is bound to it still gets it, and nobody else does."""
    from nebula_lab.registry.publishing.publisher import Publisher

    plugin_id, version = _release(release)
    with Publisher(_registry(url, auth, insecure)) as publisher:
        done = publisher.yank(plugin_id, version, reason)
    document = {"id": plugin_id, "version": version, "yanked": reason}
    _tell_done(document, done, f"Withdrew {plugin_id} {version}: {reason}", as_json)


@click.command("unyank", cls=PluginCommand)
@click.argument("release", metavar="ID@VERSION")
@registry_options
@json_option
@debug_option
def unyank(release: str, url: str, auth: str | None, insecure: bool, as_json: bool) -> None:
    """Offer a version again that was withdrawn."""
    from nebula_lab.registry.publishing.publisher import Publisher

    plugin_id, version = _release(release)
    with Publisher(_registry(url, auth, insecure)) as publisher:
        done = publisher.unyank(plugin_id, version)
    document = {"id": plugin_id, "version": version, "yanked": None}
    _tell_done(document, done, f"{plugin_id} {version} is offered again", as_json)


@click.command("trust", cls=PluginCommand)
@registry_options
@click.option(
    "--fingerprint",
    metavar="SHA256:…",
    multiple=True,
    help="Trust it if this is a key of its root, without asking.",
)
@click.option("--yes", is_flag=True, help="Trust whatever keys it has, without asking.")
@click.option("--again", is_flag=True, help="Forget what was trusted and known before.")
@json_option
@debug_option
@click.pass_context
def trust(
    context: click.Context,
    url: str,
    auth: str | None,
    insecure: bool,
    fingerprint: tuple[str, ...],
    yes: bool,
    again: bool,
    as_json: bool,
) -> None:
    """Show the keys of the registry at URL, and trust them from now on.

    Compare the fingerprints with those that whoever keeps it gave you in another way. From then on
    nothing is taken from it that these keys, or those that they handed over to, do not vouch for.
    """
    from nebula_lab.registry.client.client import RegistryClient
    from nebula_lab.registry.protection.memory import RegistryMemory
    from nebula_lab.registry.protection.trusting import ask_root
    from nebula_lab.views.registry_keys import registry_keys

    with RegistryClient(_registry(url, auth, insecure)) as client:
        memory = RegistryMemory(client.place)
        if memory.root is not None and not again:
            click.echo(f"{client.place} is trusted already; --again asks anew.", err=True)
            context.exit(ExitCode.FINE)
        offer = ask_root(client.place, client.read_file)
    if not as_json:
        click.echo(registry_keys(offer.roles).text)
    if not _is_wanted(offer, fingerprint, yes=yes):
        click.echo("Nothing is trusted.", err=True)
        context.exit(ExitCode.PROBLEMS_FOUND)
    memory.forget()
    memory.trust(offer.content)
    document = {
        "url": offer.url,
        "version": offer.version,
        "roles": {role.value: list(known.fingerprints) for role, known in offer.roles.items()},
    }
    _tell(document, f"{offer.url} is trusted from now on.", as_json)


PUBLISHING_COMMANDS = (publish, yank, unyank, trust)


def _registry(url: str, auth: str | None, insecure: bool) -> Registry:
    from nebula_lab.model.discovery_strategy import Registry

    if auth is None and os.environ.get(_VARIABLE):
        auth = f"env:{_VARIABLE}"
    return Registry(url=url, auth=auth, insecure=insecure)


def _release(text: str) -> tuple[str, str]:
    found = _RELEASE.fullmatch(text)
    if found is None:
        raise click.BadParameter(f"{text!r} is not ID@VERSION", param_hint="ID@VERSION")
    return found["id"], found["version"]


def _is_wanted(offer: RootOffer, fingerprints: tuple[str, ...], *, yes: bool) -> bool:
    from nebula_lab.errors import RegistryTrustError
    from nebula_lab.registry.protection.roles import Role

    known = offer.roles[Role.ROOT].fingerprints
    if unknown := [one for one in fingerprints if one not in known]:
        raise RegistryTrustError(
            f"no key of its root has the fingerprint {unknown[0]}",
            path=offer.url,
            hint="It may be somebody else who answers. Nothing is trusted.",
        )
    if yes or fingerprints:
        return True
    if not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask at: say --fingerprint SHA256:…")
    return click.confirm("Are these the keys that you expect?", err=True)


def _tell(document: dict[str, Any], text: str, as_json: bool) -> None:
    from nebula_lab.cli.values import to_json

    click.echo(to_json(document, indent=2) if as_json else text)


def _tell_done(document: dict[str, Any], done: Published, text: str, as_json: bool) -> None:
    from nebula_lab.views.safe_text import line

    _tell({**document, "waiting": dict(done.waiting)}, text, as_json)
    for role, wanted in done.waiting.items():
        click.echo(
            f"Clients that check signatures see it once {line(role)} is signed: {line(wanted)}",
            err=True,
        )
