"""`nebula-lab registry init`, `sign`, `refresh` and `root`: the signatures over a registry."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from nebula_lab.cli.failing import PluginCommand, debug_option, json_option
from nebula_lab.cli.registry_keys import (
    FILE,
    FOLDER,
    Command,
    by_role,
    counts_by_role,
    days_option,
    folder_argument,
    key_option,
    keys_and_signers,
    signers_from,
    tell_signed,
)
from nebula_lab.cli.signing import new_passphrase

_KEY_NAMES = ("root", "targets", "online")


def _keys_of(role: str, what: str) -> Callable[[Command], Command]:
    return click.option(
        f"--{role}-key",
        f"{role}_keys",
        metavar="FILE",
        type=FILE,
        multiple=True,
        help=f"A key that may sign {what}; a .pub file for one that is kept elsewhere.",
    )


@click.command("init", cls=PluginCommand)
@folder_argument
@click.option(
    "--new-keys", metavar="DIR", type=FOLDER, help="Make the three keys, as files in this folder."
)
@click.option("--no-passphrase", is_flag=True, help="Encrypt none of the new keys.")
@_keys_of("root", "who has which key")
@_keys_of("targets", "what is offered")
@_keys_of("online", "that this is the newest state; a server may hold it")
@days_option
@json_option
@debug_option
@click.pass_context
def init(
    context: click.Context,
    folder: Path,
    new_keys: Path | None,
    no_passphrase: bool,
    root_keys: tuple[Path, ...],
    targets_keys: tuple[Path, ...],
    online_keys: tuple[Path, ...],
    days: tuple[str, ...],
    as_json: bool,
) -> None:
    """Have the registry in DIR signed from now on. Without a registry there, begin an empty one.

    Keep the keys of root and targets away from servers. Whoever uses the registry says once whom
    to trust: `nebula-lab registry trust URL`.
    """
    from nebula_lab.registry.protection.roles import ONLINE, USUAL_DAYS, Role
    from nebula_lab.registry.protection.signing import initialise
    from nebula_lab.registry.publishing.folder import RegistryFolder

    given = dict(zip(_KEY_NAMES, (root_keys, targets_keys, online_keys), strict=True))
    if new_keys is not None:
        if any(given.values()):
            raise click.UsageError("say --new-keys or name the keys, not both")
        given = _make_keys(new_keys, no_passphrase)
    if missing := [name for name, files in given.items() if not files]:
        raise click.UsageError(f"say --{missing[0]}-key FILE, or --new-keys DIR for all of them")
    lasting = {**USUAL_DAYS, **counts_by_role(days, "--days")}
    found = {name: keys_and_signers(files) for name, files in given.items()}
    keys = {role: found["online" if role in ONLINE else role.value][0] for role in Role}
    signers = {one.public_key.keyid: one for _, some in found.values() for one in some}
    registry = RegistryFolder(folder)
    if registry.begin():
        click.echo(f"Began an empty registry in {folder}.", err=True)
    report = initialise(registry, keys, list(signers.values()), days=lasting)
    context.exit(tell_signed(report, as_json=as_json))


@click.command("sign", cls=PluginCommand)
@folder_argument
@key_option
@json_option
@debug_option
@click.pass_context
def sign(context: click.Context, folder: Path, keys: tuple[Path, ...], as_json: bool) -> None:
    """Sign what the registry in DIR offers now, as far as the keys can.

    A version that was signed before and is gone, or has other files, is an error. Exits with 3 if
    a signature is still missing.
    """
    from nebula_lab.registry.protection.signing import sign as sign_all
    from nebula_lab.registry.publishing.folder import RegistryFolder

    if not keys:
        raise click.UsageError("say --key FILE")
    report = sign_all(RegistryFolder(folder), signers_from(keys))
    context.exit(tell_signed(report, as_json=as_json))


@click.command("refresh", cls=PluginCommand)
@folder_argument
@key_option
@json_option
@debug_option
@click.pass_context
def refresh(context: click.Context, folder: Path, keys: tuple[Path, ...], as_json: bool) -> None:
    """Sign anew that what was signed in DIR is the newest state, if that would expire soon.

    For a registry that no server of ours keeps: run it daily, with the online key.
    """
    from nebula_lab.registry.protection.signing import refresh as refresh_all
    from nebula_lab.registry.publishing.folder import RegistryFolder

    if not keys:
        raise click.UsageError("say --key FILE")
    report = refresh_all(RegistryFolder(folder), signers_from(keys))
    context.exit(tell_signed(report, as_json=as_json))


@click.command("root", cls=PluginCommand)
@folder_argument
@key_option
@click.option(
    "--add", metavar="ROLE=FILE", multiple=True, help="Give a role the key in this .pub file."
)
@click.option(
    "--remove", metavar="ROLE=FINGERPRINT", multiple=True, help="Take a role away from a key."
)
@click.option(
    "--threshold", metavar="ROLE=N", multiple=True, help="How many keys have to sign for a role."
)
@days_option
@json_option
@debug_option
@click.pass_context
def root(
    context: click.Context,
    folder: Path,
    keys: tuple[Path, ...],
    add: tuple[str, ...],
    remove: tuple[str, ...],
    threshold: tuple[str, ...],
    days: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show who may sign what in the registry in DIR; with --key, change or renew it.

    ROLE is root, targets, snapshot or timestamp, or online for the last two. A change takes a key
    of the root as it was, and of the root as it will be; clients follow by themselves.
    """
    from nebula_lab.registry.protection.keys import public_key_from
    from nebula_lab.registry.protection.rotation import change_root
    from nebula_lab.registry.publishing.folder import RegistryFolder

    if not keys:
        if add or remove or threshold or days:
            raise click.UsageError("a change takes --key FILE, a key of the root")
        _show_root(folder, as_json)
        return
    added = {
        role: [public_key_from(Path(file)) for file in files]
        for role, files in by_role(add, "--add").items()
    }
    report = change_root(
        RegistryFolder(folder),
        signers_from(keys),
        add=added,
        remove=by_role(remove, "--remove"),
        thresholds=counts_by_role(threshold, "--threshold"),
        days=counts_by_role(days, "--days"),
    )
    context.exit(tell_signed(report, as_json=as_json))


SIGNING_COMMANDS = (init, sign, refresh, root)


def _make_keys(folder: Path, no_passphrase: bool) -> dict[str, tuple[Path, ...]]:
    from nebula_lab.trust.key_making import make_key

    passphrase = "" if no_passphrase else new_passphrase()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files: dict[str, tuple[Path, ...]] = {}
    for name in _KEY_NAMES:
        files[name] = (folder / name,)
        # A server has to start without anybody at a keyboard.
        make_key(folder / name, "" if name == "online" else passphrase, f"registry {name}")
    click.echo(f"The keys are in {folder}: {', '.join(_KEY_NAMES)}.", err=True)
    return files


def _show_root(folder: Path, as_json: bool) -> None:
    from nebula_lab.cli.values import to_json
    from nebula_lab.registry.protection.signing import standing
    from nebula_lab.registry.protection.state import SignedState
    from nebula_lab.registry.protection.trusting import role_keys
    from nebula_lab.views.registry_keys import registry_keys

    state = SignedState.read(folder)
    roles, expires = role_keys(state.root.signed), standing(state)
    if as_json:
        document = {
            "version": state.root.signed.version,
            "roles": {
                role.value: {
                    "fingerprints": list(known.fingerprints),
                    "threshold": known.threshold,
                    "expires": None if role not in expires else expires[role].isoformat(),
                }
                for role, known in roles.items()
            },
        }
        click.echo(to_json(document, indent=2))
        return
    click.echo(registry_keys(roles, expires).text)
