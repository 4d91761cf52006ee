"""Ours is OpenSSH's format: what one makes, the other takes, for every kind of key."""

from __future__ import annotations

import subprocess

import pytest

from nebula_lab.trust.signing import write_signed_list
from nebula_lab.trust.verifying import verify

KINDS = ["ed25519", "rsa", "ecdsa256", "ecdsa384", "ecdsa521"]


def ssh_keygen(*words, **options):
    return subprocess.run(
        ["ssh-keygen", *map(str, words)], capture_output=True, check=False, timeout=60, **options
    )


@pytest.fixture
def allowed_signers(tmp_path, keys):
    def write(key):
        path = tmp_path / "allowed_signers"
        line = keys(key).with_suffix(".pub").read_text()
        path.write_text(f'me@example.org namespaces="nebula-lab" {line}')
        return path

    return write


@pytest.mark.parametrize("kind", KINDS)
def test_ssh_keygen_verifies_what_we_sign(package, signed, allowed_signers, kind):
    signed_list = signed(package, kind)
    command = ["-Y", "verify", "-n", "nebula-lab", "-f", allowed_signers(kind)]
    command += ["-I", "me@example.org", "-s", f"{signed_list}.sig"]
    done = ssh_keygen(*command, input=signed_list.read_bytes())
    assert done.returncode == 0, done.stderr
    assert b"Good" in done.stdout
    assert ssh_keygen(*command, input=signed_list.read_bytes() + b"x").returncode != 0


@pytest.mark.parametrize("hash_name", ["sha256", "sha512"])
@pytest.mark.parametrize("kind", KINDS)
def test_we_verify_what_ssh_keygen_signs(package, take, keys, trusting, kind, hash_name):
    signed_list = write_signed_list(take(package))
    options = ["-n", "nebula-lab", "-O", f"hashalg={hash_name}", "-f", keys(kind)]
    assert ssh_keygen("-Y", "sign", *options, signed_list).returncode == 0
    report = verify(take(package), trusting(keys(kind)))
    assert report.is_good, report.message


@pytest.mark.parametrize("kind", KINDS)
def test_we_verify_what_we_sign(counter, signed, take, keys, trusting, kind):
    signed(counter, kind)
    assert verify(take(counter), trusting(keys(kind))).status == "signed"


def test_the_fingerprint_is_the_one_that_ssh_keygen_prints(package, signed, checked, keys):
    signed(package)
    printed = ssh_keygen("-l", "-f", keys()).stdout.decode().split()[1]
    assert checked(package).fingerprint == printed


def test_the_list_is_one_that_sha256sum_checks(package, signed):
    signed_list = signed(package)
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", signed_list],
        cwd=package.parent,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"WARNING" not in done.stderr


def test_a_signature_for_another_namespace_is_worth_nothing(package, take, keys, checked):
    signed_list = write_signed_list(take(package))
    ssh_keygen("-Y", "sign", "-n", "git", "-f", keys(), signed_list)
    report = checked(package)
    assert report.status == "invalid"
    assert "'git'" in report.message
    assert "-n nebula-lab" in report.cure


def test_an_rsa_key_that_is_too_short_is_worth_nothing(package, take, keys, trusting):
    signed_list = write_signed_list(take(package))
    ssh_keygen("-Y", "sign", "-n", "nebula-lab", "-f", keys("rsa1024"), signed_list)
    report = verify(take(package), trusting(keys("rsa1024")))
    assert (report.status, "1024 bits" in report.message) == ("invalid", True)


def test_a_signature_by_a_certificate_is_worth_nothing_and_says_why(
    package, take, keys, trusting, tmp_path
):
    key = tmp_path / "certified"
    ssh_keygen("-q", "-t", "ed25519", "-N", "", "-f", key)
    ssh_keygen("-q", "-s", keys(), "-I", "me", "-n", "me", key.with_suffix(".pub"))
    signed_list = write_signed_list(take(package))
    certificate = tmp_path / "certified-cert.pub"
    done = ssh_keygen("-Y", "sign", "-n", "nebula-lab", "-f", certificate, signed_list)
    assert done.returncode == 0, done.stderr
    report = verify(take(package), trusting(keys()))
    assert (report.status, "certificate" in report.message) == ("invalid", True)
