"""Lines of public keys: as in `.pub` and authorized_keys files, and in allowed_signers files.

An allowed_signers line is `PRINCIPALS [OPTIONS] KIND BASE64 [COMMENT]` (ssh-keygen(1), ALLOWED
SIGNERS); the other is the same without the first two. BASE64 alone is taken as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec import Struct

from nebula_lab.errors import SignatureError
from nebula_lab.trust.public_key import PublicKey
from nebula_lab.trust.sshsig import NAMESPACE

__all__ = ["TrustedKey", "read_key_line"]

_KIND = re.compile(r"(?:ssh|ecdsa|sk|rsa)-[A-Za-z0-9@.-]+")
_BASE64 = re.compile(r"AAAA[A-Za-z0-9+/]+={0,2}")
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_PRINCIPALS = re.compile(rf"(?P<word>{_QUOTED}|[^\s\"]\S*)(?:\s+|$)")
_OPTIONS = re.compile(rf"(?:[A-Za-z-]+(?:={_QUOTED})?)(?:,[A-Za-z-]+(?:={_QUOTED})?)*(?=\s)")
_OPTION = re.compile(rf"(?P<name>[A-Za-z-]+)(?:=(?P<value>{_QUOTED}))?")
_TIME = re.compile(r"(?P<digits>[0-9]{14}|[0-9]{12}|[0-9]{8})(?P<utc>Z?)")
_TIME_FORMATS: Mapping[int, str] = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_OPTION_NAMES = ("namespaces", "valid-after", "valid-before")


class TrustedKey(Struct, frozen=True):
    """A key that may sign plugins, for as long and for what its line says.

    Attributes:
        key: the key.
        name: whose it is: the principals, or the comment, or nothing.
        namespaces: patterns of what it may sign; None is everything.
        valid_after: seconds since 1970 from which on it counts.
        valid_before: seconds since 1970 up to which it counts.
    """

    key: PublicKey
    name: str = ""
    namespaces: str | None = None
    valid_after: float | None = None
    valid_before: float | None = None

    def objection(self, at: float) -> str:
        """Why it may not sign plugins at that time; nothing where it may."""
        if self.namespaces is not None and not _in_patterns(NAMESPACE, self.namespaces):
            return f"is trusted for {self.namespaces!r} only, not for {NAMESPACE}"
        if self.valid_after is not None and at < self.valid_after:
            return f"is not valid before {_said(self.valid_after)}"
        if self.valid_before is not None and at > self.valid_before:
            return f"has not been valid since {_said(self.valid_before)}"
        return ""


def read_key_line(line: str) -> TrustedKey | None:
    """What a line says; None for an empty one or a comment.

    Raises:
        SignatureError: it is no such line, or has an option that we do not know.
    """
    line = line.strip()
    if not line or line.startswith("#"):
        return None
    if _BASE64.fullmatch(line):
        return TrustedKey(PublicKey.from_text(line))
    if _KIND.match(line):
        key, comment = _key_and_comment(line)
        return TrustedKey(key, comment)
    first = _PRINCIPALS.match(line)
    if first is None:
        raise SignatureError("is not a line with a public key")
    rest = line[first.end() :]
    options: dict[str, str] = {}
    # The name of a kind of key could be that of an option, had it no `-` and digits in it.
    if not _KIND.match(rest) and (found := _OPTIONS.match(rest)) is not None:
        options = _options(found.group())
        rest = rest[found.end() :].lstrip()
    key, _ = _key_and_comment(rest)
    return TrustedKey(
        key,
        _unquoted(first["word"]),
        options.get("namespaces"),
        _time(options.get("valid-after")),
        _time(options.get("valid-before")),
    )


def _key_and_comment(text: str) -> tuple[PublicKey, str]:
    kind, _, rest = text.partition(" ")
    blob, _, comment = rest.lstrip().partition(" ")
    if not _KIND.fullmatch(kind):
        raise SignatureError(
            "is not a line with a public key",
            hint="Copy the line from the `.pub` file; it looks like `ssh-ed25519 AAAA… name`.",
        )
    key = PublicKey.from_text(blob)
    if key.kind != kind:
        raise SignatureError(f"says {kind}, but its key is of the kind {key.kind}")
    return key, comment.strip()


def _options(text: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for option in _OPTION.finditer(text):
        name = option["name"].lower()
        if name == "cert-authority":
            raise SignatureError(
                "trusts a certificate authority, and certificates are not taken here",
                hint="Write a line for each key instead; keep this one in a file of its own.",
            )
        if name not in _OPTION_NAMES or option["value"] is None or name in options:
            raise SignatureError(
                f"the option {name!r} is unknown, without a value, or there twice",
                hint=f"Options are {', '.join(_OPTION_NAMES)}.",
            )
        options[name] = _unquoted(option["value"])
    return options


def _unquoted(word: str) -> str:
    return re.sub(r"\\(.)", r"\1", word[1:-1]) if word.startswith('"') else word


def _time(text: str | None) -> float | None:
    """Seconds since 1970 of a time as OpenSSH writes it: of this machine's zone without a Z."""
    if text is None:
        return None
    found = _TIME.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        when = datetime.strptime(found["digits"], _TIME_FORMATS[len(found["digits"])])
        return (when.replace(tzinfo=UTC) if found["utc"] else when).timestamp()
    except (ValueError, OverflowError) as error:
        raise SignatureError(
            f"{text[:40]!r} is not a time",
            hint="Write YYYYMMDD or YYYYMMDDHHMM[SS], and Z for UTC.",
        ) from error


def _said(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def _in_patterns(name: str, patterns: str) -> bool:
    """Whether a list of patterns takes a name; one with `!` that fits takes it out again."""
    fitting = [p for p in patterns.split(",") if _fits(name, p.strip().removeprefix("!"))]
    return bool(fitting) and not any(p.strip().startswith("!") for p in fitting)


def _fits(name: str, pattern: str) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, name) is not None
