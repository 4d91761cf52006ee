"""Signatures from people who mean harm, and from security keys, made by hand."""

from __future__ import annotations

import base64
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_ssh_private_key,
)
from hypothesis import given
from hypothesis import strategies as st

from nebula_lab.errors import SignatureError
from nebula_lab.trust.key_lines import TrustedKey, read_key_line
from nebula_lab.trust.public_key import PublicKey
from nebula_lab.trust.schemes import check_signature
from nebula_lab.trust.ssh_strings import ssh_mpint, ssh_string
from nebula_lab.trust.sshsig import NAMESPACE, SshSignature, parse_signature, signed_data
from nebula_lab.trust.sums import SignedFiles
from nebula_lab.trust.verifying import TrustPolicy, verify

SK_ED25519 = "sk-ssh-ed25519@openssh.com"
SK_ECDSA = "sk-ecdsa-sha2-nistp256@openssh.com"
APPLICATION = b"ssh:"
TOUCHED, PIN_TOO, UNTOUCHED = 1, 5, 4


def _sk_ed25519():
    key = ed25519.Ed25519PrivateKey.generate()
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return ssh_string(SK_ED25519) + ssh_string(raw) + ssh_string(APPLICATION), key.sign


def _sk_ecdsa():
    key = ec.generate_private_key(ec.SECP256R1())
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    blob = b"".join(map(ssh_string, (SK_ECDSA, "nistp256", point, APPLICATION)))

    def sign(data):
        numbers = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
        return b"".join(map(ssh_mpint, numbers))

    return blob, sign


def token_signature(kind, sign, data, flags=TOUCHED, application=APPLICATION):
    """What a security key gives: PROTOCOL.u2f, SSH U2F signatures."""
    tail = bytes([flags]) + (7).to_bytes(4, "big")
    message = sha256(application).digest() + tail + sha256(data).digest()
    return ssh_string(kind) + ssh_string(sign(message)) + tail


@pytest.fixture
def put(package, take):
    """Puts a signature made by `make` into the package, and gives what is said of it then."""

    def put(blob, make, *, namespace=NAMESPACE, hash_name="sha512", trust=True):
        text = SignedFiles.of(take(package)).text
        (package / "plugin.sums").write_bytes(text)
        signature = make(signed_data(text, hash_name, namespace))
        armored = SshSignature(blob, namespace, hash_name, signature).armored()
        (package / "plugin.sums.sig").write_bytes(armored)
        trusted = (TrustedKey(PublicKey.from_blob(blob), "me"),) if trust else ()
        return verify(take(package), TrustPolicy(trusted))

    return put


@pytest.mark.parametrize(("kind", "make"), [(SK_ED25519, _sk_ed25519), (SK_ECDSA, _sk_ecdsa)])
@pytest.mark.parametrize(
    ("flags", "application", "expected"),
    [
        (TOUCHED, APPLICATION, "signed"),
        (PIN_TOO, APPLICATION, "signed"),
        (UNTOUCHED, APPLICATION, "invalid"),
        (0, APPLICATION, "invalid"),
        (TOUCHED, b"ssh:other", "invalid"),
    ],
)
def test_a_security_key_signs_only_where_it_was_touched(
    put, kind, make, flags, application, expected
):
    blob, sign = make()
    report = put(blob, lambda data: token_signature(kind, sign, data, flags, application))
    assert report.status == expected, report.message
    assert ("nobody touched" in report.message) == (not flags & TOUCHED)


def test_a_security_key_whose_flags_were_changed_afterwards_is_worth_nothing(put):
    blob, sign = _sk_ed25519()

    def make(data):
        untouched = bytearray(token_signature(SK_ED25519, sign, data, flags=0))
        untouched[-5] |= TOUCHED
        return bytes(untouched)

    assert put(blob, make).status == "invalid"


def test_a_plain_signature_is_none_of_a_security_key(put):
    blob, sign = _sk_ed25519()
    make = lambda data: ssh_string(SK_ED25519) + ssh_string(sign(data))  # noqa: E731
    assert put(blob, make).status == "invalid"


def _rsa_blob(key):
    line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return base64.b64decode(line.split()[1])


@pytest.fixture(scope="module")
def rsa_key():
    return rsa.generate_private_key(65537, 2048)


def rsa_signature(key, name, algorithm):
    return lambda data: ssh_string(name) + ssh_string(key.sign(data, padding.PKCS1v15(), algorithm))


@pytest.mark.parametrize(
    ("name", "algorithm", "expected"),
    [
        ("rsa-sha2-256", hashes.SHA256(), "signed"),
        ("rsa-sha2-512", hashes.SHA512(), "signed"),
        ("rsa-sha2-512", hashes.SHA256(), "invalid"),
        ("ssh-rsa", hashes.SHA1(), "invalid"),
        ("rsa-sha2-256", hashes.SHA1(), "invalid"),
    ],
)
def test_rsa_counts_with_sha_2_and_never_with_sha_1(put, rsa_key, name, algorithm, expected):
    report = put(_rsa_blob(rsa_key), rsa_signature(rsa_key, name, algorithm))
    assert report.status == expected


@pytest.mark.parametrize("hash_name", ["sha1", "md5", "shake_128", "nothing", ""])
def test_a_weak_or_unknown_hash_of_the_message_is_refused(keys, hash_name):
    signature = SshSignature(public_key_of(keys()).blob, NAMESPACE, hash_name, b"x").armored()
    with pytest.raises(SignatureError, match="is not one of sha256, sha512"):
        parse_signature(signature)


def public_key_of(path):
    found = read_key_line(path.with_suffix(".pub").read_text())
    assert found is not None
    return found.key


def test_ecdsa_numbers_that_are_not_written_as_they_must_be_are_refused(put):
    key = ec.generate_private_key(ec.SECP256R1())
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    kind = "ecdsa-sha2-nistp256"
    blob = b"".join(map(ssh_string, (kind, "nistp256", point)))

    def make(data, pad=b""):
        numbers = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
        raw = [ssh_mpint(number)[4:] for number in numbers]
        return ssh_string(kind) + ssh_string(b"".join(ssh_string(pad + one) for one in raw))

    assert put(blob, make).status == "signed"
    assert put(blob, lambda data: make(data, b"\0")).status == "invalid"


def test_nothing_may_follow_a_signature(put, rsa_key):
    make = rsa_signature(rsa_key, "rsa-sha2-256", hashes.SHA256())
    assert put(_rsa_blob(rsa_key), lambda data: make(data) + b"\0").status == "invalid"
    blob, sign = _sk_ecdsa()
    report = put(blob, lambda data: token_signature(SK_ECDSA, sign, data) + b"\0")
    assert report.status == "invalid"
    report = put(blob, lambda data: token_signature(SK_ECDSA, lambda d: sign(d) + b"\0", data))
    assert report.status == "invalid"


def test_one_key_can_not_pass_for_another_kind(put, keys):
    key = load_ssh_private_key(keys().read_bytes(), None)
    blob, _ = _sk_ed25519()
    report = put(blob, lambda data: ssh_string("ssh-ed25519") + ssh_string(key.sign(data)))
    assert report.status == "invalid"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: b"",
        lambda text: text.replace(b"BEGIN SSH", b"BEGIN PGP"),
        lambda text: text[: len(text) // 2],
        lambda text: text.replace(b"\n", b"\n!", 2),
        lambda text: text + b"more",
        lambda text: b"more" + text,
        lambda text: text + text,
        lambda text: text.replace(b"-----END", b"AAAA\n-----END"),
        lambda text: b"\0" * 1000,
        lambda text: b"-----BEGIN SSH SIGNATURE-----\n=\n-----END SSH SIGNATURE-----\n",
    ],
)
def test_a_spoilt_armor_is_invalid(package, signed, checked, spoil):
    signed(package)
    path = package / "plugin.sums.sig"
    path.write_bytes(spoil(path.read_bytes()))
    assert checked(package).status == "invalid"


def test_an_armor_from_another_system_is_good(package, signed, checked):
    signed(package)
    path = package / "plugin.sums.sig"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert checked(package).is_good


def test_a_signature_of_a_hundred_megabytes_is_invalid_and_not_looked_into(
    package, signed, checked
):
    signed(package)
    with (package / "plugin.sums.sig").open("r+b") as file:
        file.truncate(100_000_000)
    report = checked(package)
    assert (report.status, "100,000,000 bytes" in report.message) == ("invalid", True)


def good_signature(key=None):
    key = key or ed25519.Ed25519PrivateKey.generate()
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    blob = ssh_string("ssh-ed25519") + ssh_string(raw)
    signature = ssh_string("ssh-ed25519") + ssh_string(key.sign(signed_data(b"text", "sha512")))
    return SshSignature(blob, NAMESPACE, "sha512", signature)


def fully(text):
    """Go all the way from text to a signature that holds; anything else is a SignatureError."""
    signature = parse_signature(text)
    key = PublicKey.from_blob(signature.public_key)
    check_signature(key, signature.signature, signed_data(b"text", signature.hash_name))


def armor(blob):
    body = base64.b64encode(blob)
    return b"-----BEGIN SSH SIGNATURE-----\n" + body + b"\n-----END SSH SIGNATURE-----\n"


@given(st.binary(max_size=400))
def test_whatever_bytes_come_nothing_but_a_signature_error_comes_of_them(content):
    for text in (content, armor(content), armor(b"SSHSIG\0\0\0\1" + content)):
        with pytest.raises(SignatureError):
            fully(text)


@given(st.data())
def test_a_good_signature_that_was_changed_anywhere_is_refused(data):
    blob = base64.b64decode(b"".join(good_signature().armored().split(b"\n")[1:-2]))
    changed = bytearray(blob)
    place = data.draw(st.integers(0, len(blob) - 1))
    changed[place] ^= data.draw(st.integers(1, 255))
    try:
        fully(armor(bytes(changed)))
    except SignatureError:
        return
    # What was changed is in the namespace, which the caller compares.
    assert parse_signature(armor(bytes(changed))).namespace != NAMESPACE


KINDS = [
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp521",
    SK_ED25519,
    SK_ECDSA,
]
FIELDS = st.lists(st.binary(max_size=80) | st.just(b"nistp256") | st.just(b"ssh:"), max_size=4)


@given(st.sampled_from(KINDS), FIELDS, st.binary(max_size=200))
def test_whatever_key_is_in_a_signature_nothing_but_a_signature_error_comes_of_it(
    kind, fields, signature
):
    blob = b"".join(map(ssh_string, (kind, *fields)))
    for raw in (signature, ssh_string(kind) + ssh_string(signature) + b"\1\0\0\0\0"):
        with pytest.raises(SignatureError):
            fully(SshSignature(blob, NAMESPACE, "sha512", raw).armored())


@given(st.integers(0, 2**2100), st.integers(0, 2**2100), st.binary(max_size=300))
def test_whatever_numbers_an_rsa_key_has_nothing_but_a_signature_error_comes_of_it(e, n, raw):
    blob = ssh_string("ssh-rsa") + ssh_mpint(e) + ssh_mpint(n | 2**2050)
    signature = ssh_string("rsa-sha2-256") + ssh_string(raw)
    with pytest.raises(SignatureError):
        fully(SshSignature(blob, NAMESPACE, "sha256", signature).armored())


@given(st.text(max_size=200))
def test_whatever_line_of_keys_comes_it_is_read_or_refused(line):
    for text in (line, f"me {line}", f"ssh-ed25519 {line}", f"me namespaces={line} ssh-rsa AAAA"):
        try:
            read_key_line(text)
        except SignatureError:
            continue


@given(st.binary(max_size=300))
def test_whatever_list_comes_it_is_read_or_refused(content):
    head = b"# nebula-lab signed files 1\n# id a\n# version 1\n"
    for text in (content, head + content):
        try:
            assert SignedFiles.parse(text).text == text
        except SignatureError:
            continue
