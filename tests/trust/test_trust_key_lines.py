"""Lines and files of public keys: what is read, for whom and for when, and what is refused."""

from __future__ import annotations

import subprocess
import time
from datetime import datetime

import pytest

from nebula_lab.errors import ConfigError, SignatureError
from nebula_lab.trust.key_files import parse_inline_keys, read_revoked_keys, read_trusted_keys
from nebula_lab.trust.key_lines import read_key_line

ED = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGRqXX4pOb5oPYBVXmsUvDwIQkMMyTRmMcXEEF8EAfCR"


def moment(text):
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (ED, ""),
        (f"{ED} ana@example.org", "ana@example.org"),
        (f"{ED}  my key at work ", "my key at work"),
        (ED.split()[1], ""),
        (f"ana@example.org {ED} comment", "ana@example.org"),
        (f"ana@example.org,*@example.net {ED}", "ana@example.org,*@example.net"),
        (f'"two words" {ED}', "two words"),
        (f'ana@example.org namespaces="nebula-lab" {ED}', "ana@example.org"),
    ],
)
def test_a_line_gives_the_key_and_whose_it_is(line, name):
    found = read_key_line(line)
    assert (found.key.line, found.name) == (ED, name)


@pytest.mark.parametrize("line", ["", "   ", "# a comment", f"#{ED}"])
def test_empty_lines_and_comments_give_nothing(line):
    assert read_key_line(line) is None


@pytest.mark.parametrize(
    ("patterns", "fits"),
    [
        ("nebula-lab", True),
        ("git,nebula-lab", True),
        ("nebula-*", True),
        ("*", True),
        ("nebula?lab", True),
        ("git", False),
        ("nebula", False),
        ("!nebula-lab,*", False),
        ("*,!git", True),
        ("!git", False),
        ("nebula.lab", False),
    ],
)
def test_a_key_counts_for_the_namespaces_of_its_line(patterns, fits):
    found = read_key_line(f'me namespaces="{patterns}" {ED}')
    assert (found.objection(time.time()) == "") == fits


@pytest.mark.parametrize(
    ("options", "at", "said"),
    [
        ('valid-after="20260101Z"', "2025-12-31T23:59:59+00:00", "not valid before"),
        ('valid-after="20260101Z"', "2026-01-01T00:00:00+00:00", ""),
        ('valid-before="202601011200Z"', "2026-01-01T12:00:00+00:00", ""),
        ('valid-before="202601011200Z"', "2026-01-01T12:00:01+00:00", "not been valid since"),
        ('valid-before="20260101120030"', "2026-01-01T12:00:30", ""),
        ('valid-before="20260101120030"', "2026-01-01T12:00:31", "not been valid since"),
        ('valid-after="20260101Z",valid-before="20270101Z"', "2026-06-01T00:00:00+00:00", ""),
        ('VALID-AFTER="20260101Z"', "2025-06-01T00:00:00+00:00", "not valid before"),
    ],
)
def test_a_key_counts_for_the_time_of_its_line(options, at, said):
    objection = read_key_line(f"me {options} {ED}").objection(moment(at))
    assert (said in objection) if said else objection == ""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("hello", "not a line with a public key"),
        ("ssh-ed25519", "ends too early"),
        ("ssh-ed25519 AAAA...", "not the base64"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGRq", "ends too early"),
        (ED.replace("ssh-ed25519", "ssh-rsa"), "its key is of the kind ssh-ed25519"),
        (f"me cert-authority {ED}", "certificate authority"),
        (f'me cert-authority,namespaces="nebula-lab" {ED}', "certificate authority"),
        (f'me no-touch-required="yes" {ED}', "no-touch-required"),
        (f"me namespaces=nebula-lab {ED}", "not a line with a public key"),
        (f'me valid-after="tomorrow" {ED}', "not a time"),
        (f'me valid-after="20261301" {ED}', "not a time"),
        (f'me valid-after="20260101",valid-after="20250101" {ED}', "there twice"),
        ("ssh-dss AAAAB3NzaC1kc3MAAAAB", "'ssh-dss'"),
        ('me "', "not a line"),
    ],
)
def test_what_is_no_such_line_is_refused(line, said):
    with pytest.raises(SignatureError) as caught:
        read_key_line(line)
    assert said in str(caught.value)


def test_a_file_may_mix_both_kinds_of_lines(tmp_path):
    path = tmp_path / "keys"
    path.write_text(f"# whom we trust\n\n{ED} bare\nana {ED}\r\n")
    assert [one.name for one in read_trusted_keys(path)] == ["bare", "ana"]


def test_a_wrong_line_of_a_file_is_named(tmp_path):
    path = tmp_path / "keys"
    path.write_text(f"{ED}\nme cert-authority {ED}\n")
    with pytest.raises(ConfigError, match="certificate authority") as caught:
        read_trusted_keys(path)
    assert (caught.value.path, caught.value.line) == (path, 2)


def test_a_file_that_is_not_there_is_an_error_and_not_an_empty_one(tmp_path):
    for read in (read_trusted_keys, read_revoked_keys):
        with pytest.raises(ConfigError, match="No such file"):
            read(tmp_path / "nothing")


def test_revoked_keys_are_read_from_a_list(tmp_path):
    path = tmp_path / "revoked"
    path.write_text(f"{ED} lost\n")
    assert read_revoked_keys(path) == {read_key_line(ED).key.blob}


def test_a_binary_revocation_list_is_refused_with_another_way(tmp_path, keys):
    path = tmp_path / "krl"
    subprocess.run(["ssh-keygen", "-q", "-k", "-f", path, f"{keys()}.pub"], check=True)
    with pytest.raises(ConfigError, match="KRL") as caught:
        read_revoked_keys(path)
    assert "one a line" in caught.value.hint


def test_a_wrong_key_in_a_configuration_is_named_by_its_number():
    with pytest.raises(ConfigError, match="number 2"):
        parse_inline_keys((ED, "AAAAB3NzaC1yc2EA..."))
