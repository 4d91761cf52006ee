"""Keys of a registry as words of a command: files, roles, and what came of signing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from nebula_lab.cli.signing import passphrase_of

if TYPE_CHECKING:
    from securesystemslib.signer import Key

    from nebula_lab.registry.protection.keys import RegistrySigner
    from nebula_lab.registry.protection.roles import Role
    from nebula_lab.registry.protection.round import SigningReport

Command = TypeVar("Command", bound=Callable[..., Any])
FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)

folder_argument = click.argument("folder", metavar="DIR", type=FOLDER)


def key_option(command: Command) -> Command:
    """`--key`, any number of times."""
    return click.option(
        "--key",
        "keys",
        metavar="FILE",
        type=FILE,
        multiple=True,
        help="A private key to sign with; a .pub file for a key that the SSH agent holds. Can be "
        "given several times.",
    )(command)


def days_option(command: Command) -> Command:
    """`--days ROLE=N`."""
    return click.option(
        "--days",
        metavar="ROLE=N",
        multiple=True,
        help="For how long what a role signs holds; without, 7 days for timestamp and 365 else.",
    )(command)


def signers_from(paths: Iterable[Path]) -> list[RegistrySigner]:
    """The signers for some keys; asks for passphrases.

    Raises:
        SshKeyError: one of the keys can't be used.
    """
    from nebula_lab.registry.protection.keys import signer_from

    return [signer_from(path, lambda path=path: _ask(path)) for path in paths]  # type: ignore[misc]


def keys_and_signers(paths: Iterable[Path]) -> tuple[list[Key], list[RegistrySigner]]:
    """The public keys of some files, and signers for those whose private part is at hand.

    Raises:
        SshKeyError: one of the keys can't be read.
    """
    from nebula_lab.errors import SshKeyError
    from nebula_lab.registry.protection.keys import public_key_from

    keys: list[Key] = []
    signers = []
    for path in paths:
        if path.suffix == ".pub":
            keys.append(public_key_from(path))
        try:
            [signer] = signers_from([path])
        except SshKeyError:
            if path.suffix != ".pub":
                raise
            continue  # a key that is kept elsewhere
        signers.append(signer)
        if path.suffix != ".pub":
            keys.append(signer.public_key)
    return keys, signers


def by_role(words: Sequence[str], option: str) -> dict[Role, list[str]]:
    """What `ROLE=VALUE` words say; `online` stands for snapshot and timestamp.

    Raises:
        BadParameter: one is no such word.
    """
    from nebula_lab.registry.protection.roles import ONLINE, Role

    roles: dict[str, tuple[Role, ...]] = {role.value: (role,) for role in Role}
    roles["online"] = ONLINE
    found: dict[Role, list[str]] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not value or name not in roles:
            raise click.BadParameter(
                f"{word!r} is not ROLE=…, with one of {', '.join(roles)}", param_hint=option
            )
        for role in roles[name]:
            found.setdefault(role, []).append(value)
    return found


def counts_by_role(words: Sequence[str], option: str) -> dict[Role, int]:
    """As `by_role`, of `ROLE=N`."""
    counts = {}
    for role, values in by_role(words, option).items():
        if not values[-1].isdecimal() or not 1 <= int(values[-1][:6]) <= 36_500:
            raise click.BadParameter(f"{values[-1]!r} is no such number", param_hint=option)
        counts[role] = int(values[-1])
    return counts


def report_document(report: SigningReport) -> dict[str, Any]:
    """What came of signing, as JSON for programs. The keys are public: add, never rename."""
    return {
        "signed": [role.value for role in report.signed],
        "waiting": {role.value: wanted for role, wanted in report.waiting.items()},
        "expires": {role.value: when.isoformat() for role, when in report.expires.items()},
    }


def tell_signed(report: SigningReport, *, as_json: bool) -> int:
    """Print what came of signing; the exit code."""
    from nebula_lab.cli.failing import ExitCode
    from nebula_lab.cli.values import to_json

    if as_json:
        click.echo(to_json(report_document(report), indent=2))
    else:
        click.echo(_text(report.signed, report.expires))
        for role, wanted in report.waiting.items():
            click.echo(f"{role} waits for a signature: {wanted}", err=True)
    return ExitCode.PROBLEMS_FOUND if report.waiting else ExitCode.FINE


def _text(signed: Sequence[Role], expires: Mapping[Role, Any]) -> str:
    if not signed:
        return "Nothing had to be signed."
    return "\n".join(f"Signed {role}, until {expires[role]:%Y-%m-%d %H:%M} UTC." for role in signed)


def _ask(path: Path) -> str:
    return passphrase_of(f"Passphrase of {path}")
