"""`nebula-lab sign`, `verify` and `keygen`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nebula_lab.cli.failing import ExitCode, PluginCommand, debug_option, json_option

if TYPE_CHECKING:
    from nebula_lab.model.security import SecurityConfig
    from nebula_lab.trust.contents import CollectedPlugin
    from nebula_lab.trust.signer import Signer
    from nebula_lab.trust.verifying import TrustPolicy

_FILE = click.Path(dir_okay=False, path_type=Path)
_THERE = click.Path(exists=True, dir_okay=False, path_type=Path)
plugin_argument = click.argument("path", type=click.Path(exists=True, path_type=Path))


@click.command("sign", cls=PluginCommand)
@plugin_argument
@click.option("--key", metavar="FILE", type=_FILE, help="The private key to sign with.")
@click.option(
    "--agent", is_flag=True, help="Sign with the SSH agent; --key FILE.pub says with which key."
)
@click.option(
    "--list", "list_only", is_flag=True, help="Write the list of files only, and sign nothing."
)
@json_option
@debug_option
def sign(path: Path, key: Path | None, agent: bool, list_only: bool, as_json: bool) -> None:
    """Sign all files of the plugin at PATH: a file, a notebook, a package folder or a manifest.

    The list of files and its signature are written beside a single file, or into a package. With
    --list, `ssh-keygen -Y sign -n nebula-lab -f KEY LIST` can sign the list.
    """
    from nebula_lab.trust.signing import sign as sign_files
    from nebula_lab.trust.signing import write_signed_list

    if list_only == (agent or key is not None):
        raise click.UsageError("say one of --key FILE, --agent and --list")
    collected = _collected(path)
    if list_only:
        _tell_signed(collected, write_signed_list(collected), None, as_json)
        return
    signer = _signer(key, agent)
    _tell_signed(collected, sign_files(collected, signer), signer, as_json)


@click.command("verify", cls=PluginCommand)
@plugin_argument
@click.option(
    "--trusted",
    metavar="FILE",
    type=_THERE,
    multiple=True,
    help="Trust the keys in this file: lines as in .pub files, or OpenSSH's allowed_signers.",
)
@click.option("--revoked", metavar="FILE", type=_THERE, help="Trust none of the keys in this file.")
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=_THERE,
    help="Trust whom this configuration trusts; without it and --trusted, the nearest one.",
)
@json_option
@debug_option
@click.pass_context
def verify(
    context: click.Context,
    path: Path,
    trusted: tuple[Path, ...],
    revoked: Path | None,
    config_file: Path | None,
    as_json: bool,
) -> None:
    """Say who signed the plugin at PATH, and exit with 3 unless a trusted key did, as it is now.

    Nothing of the plugin runs.
    """
    from nebula_lab.cli.signing_documents import report_document
    from nebula_lab.cli.values import to_json
    from nebula_lab.trust.verifying import verify as verify_files
    from nebula_lab.views import signature_report

    policy = _policy(trusted, revoked, config_file)
    report = verify_files(_collected(path), policy)
    click.echo(
        to_json(report_document(report), indent=2) if as_json else signature_report(report).text
    )
    context.exit(ExitCode.FINE if report.is_good else ExitCode.PROBLEMS_FOUND)


@click.command("keygen", cls=PluginCommand)
@click.argument("file", type=_FILE)
@click.option("--comment", metavar="TEXT", help="Whose key it is; without, who and where you are.")
@click.option("--no-passphrase", is_flag=True, help="Ask for none, and encrypt nothing.")
@json_option
@debug_option
def keygen(file: Path, comment: str | None, no_passphrase: bool, as_json: bool) -> None:
    """Make an Ed25519 key in FILE and FILE.pub, and print the line to trust it by.

    It is an SSH key as ssh-keygen makes them. Nothing is written over.
    """
    from nebula_lab.cli.values import to_json
    from nebula_lab.trust.key_making import make_key

    passphrase = "" if no_passphrase else new_passphrase()
    line = make_key(file, passphrase, comment)
    if as_json:
        public = str(file.with_name(f"{file.name}.pub"))
        click.echo(to_json({"key": str(file), "public_key": public, "line": line}, indent=2))
        return
    click.echo(f"The private key is in {file}: keep it to yourself.", err=True)
    click.echo("Whoever trusts this line in security.trusted_keys trusts what it signs:", err=True)
    click.echo(line)


SIGNING_COMMANDS = (sign, verify, keygen)


def _collected(path: Path) -> CollectedPlugin:
    from nebula_lab.discovery import read_descriptor
    from nebula_lab.trust.collecting import collect

    return collect(read_descriptor(path))


def _signer(key: Path | None, agent: bool) -> Signer:
    if agent:
        from nebula_lab.trust.agent import signer_from_agent

        return signer_from_agent(key)
    from nebula_lab.trust.key_file import signer_from_file

    assert key is not None
    return signer_from_file(key, ask=lambda: passphrase_of(f"Passphrase of {key}"))


def passphrase_of(prompt: str) -> str:
    return str(click.prompt(prompt, hide_input=True, err=True, default="", show_default=False))


def new_passphrase() -> str:
    if not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask for a passphrase: say --no-passphrase")
    return str(
        click.prompt(
            "Passphrase (empty for none)",
            hide_input=True,
            confirmation_prompt=True,
            err=True,
            default="",
            show_default=False,
        )
    )


def _policy(
    trusted: tuple[Path, ...], revoked: Path | None, config_file: Path | None
) -> TrustPolicy:
    from nebula_lab.trust.key_files import read_revoked_keys, read_trusted_keys
    from nebula_lab.trust.policy import policy_of
    from nebula_lab.trust.verifying import TrustPolicy

    if trusted and config_file is not None:
        raise click.UsageError("say --trusted or --config, not both")
    if trusted:
        policy = TrustPolicy(tuple(key for path in trusted for key in read_trusted_keys(path)))
    else:
        policy = policy_of(_security(config_file))
    if revoked is None:
        return policy
    return TrustPolicy(policy.trusted, policy.revoked | read_revoked_keys(revoked))


def _security(config_file: Path | None) -> SecurityConfig:
    from nebula_lab.current import CONFIG_NAMES, find_config
    from nebula_lab.model import PluginConfig

    file = config_file or find_config(Path.cwd())
    if file is None:
        raise click.UsageError(
            f"nothing says whom to trust: say --trusted FILE, or have a {CONFIG_NAMES[0]} here"
        )
    return PluginConfig.from_file(file).security


def _tell_signed(
    collected: CollectedPlugin, path: Path, signer: Signer | None, as_json: bool
) -> None:
    from nebula_lab.cli.signing_documents import signed_document
    from nebula_lab.cli.values import to_json
    from nebula_lab.views.safe_text import line

    document = signed_document(collected, path, signer)
    if as_json:
        click.echo(to_json(document, indent=2))
        return
    count = len(document["files"])
    what = f"{line(collected.plugin_id)} {collected.version}: {count} file{'s'[: count != 1]}"
    if signer is None:
        click.echo(f"Listed {what}, in {path}")
    else:
        key = signer.public_key
        click.echo(f"Signed {what}, with {key.kind} {key.fingerprint}, in {path}.sig")
