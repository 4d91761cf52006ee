"""Whatever is done to a signed plugin is seen, and said of the right file."""

from __future__ import annotations

import json
import shutil

import pytest

from nebula_lab.trust.sums import SignedFiles
from nebula_lab.trust.verifying import TrustPolicy, verify


@pytest.fixture
def pack(package, signed):
    """A signed package."""
    signed(package)
    return package


def differences(report):
    return [str(one) for one in report.differences]


def test_what_is_signed_says_by_whom(pack, checked):
    report = checked(pack)
    assert (report.status, report.signer) == ("signed", "ed25519@example.org")
    assert (report.key_kind, report.cure) == ("ssh-ed25519", "")
    assert report.fingerprint.startswith("SHA256:")


def test_signing_again_gives_the_same_list_and_stays_good(pack, signed, checked):
    before = (pack / "plugin.sums").read_bytes()
    signed(pack)
    assert (pack / "plugin.sums").read_bytes() == before
    assert checked(pack).is_good


def test_what_has_no_signature_is_unsigned_and_says_how_to_sign(package, checked):
    report = checked(package)
    assert report.status == "unsigned"
    assert f"nebula-lab sign {package}" in report.cure


def test_a_list_without_a_signature_is_unsigned(pack, checked):
    (pack / "plugin.sums.sig").unlink()
    assert checked(pack).status == "unsigned"


def test_a_signature_without_its_list_is_invalid(pack, checked):
    (pack / "plugin.sums").unlink()
    assert checked(pack).status == "invalid"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda p: (p / "__init__.py").write_text("evil"), ["pack/__init__.py (changed)"]),
        (lambda p: (p / "inner/data.bin").write_bytes(b""), ["pack/inner/data.bin (changed)"]),
        (lambda p: (p / "inner/data.bin").unlink(), ["pack/inner/data.bin (missing)"]),
        (lambda p: (p / "extra.py").touch(), ["pack/extra.py (added)"]),
        (lambda p: (p / "fast.so").touch(), ["pack/fast.so (added)"]),
        (
            lambda p: (p / "inner/data.bin").rename(p / "inner/other.bin"),
            ["pack/inner/data.bin (missing)", "pack/inner/other.bin (added)"],
        ),
        (
            lambda p: (p / "plugin.toml").write_text(
                'id = "pack"\nversion = "1.0.0"\n[security]\ncapabilities = ["Network"]\n'
            ),
            ["pack/plugin.toml (changed)"],
        ),
        (
            lambda p: (p / "plugin.toml").write_text('id = "pack"\nversion = "2.0.0"\n'),
            ["pack/plugin.toml (changed)"],
        ),
        (
            lambda p: (p.parent / "pack.toml").write_text('id = "pack"\nversion = "1.0.0"\n'),
            [],
        ),
    ],
)
def test_a_change_is_seen_and_named(pack, checked, change, expected):
    change(pack)
    report = checked(pack)
    assert differences(report) == expected
    assert report.status == ("modified" if expected else "signed")
    assert all(name.split()[0] in report.message for name in expected)


def test_a_package_that_was_renamed_is_modified(pack, checked):
    moved = pack.rename(pack.with_name("other"))
    assert checked(moved).status == "modified"


def test_caches_and_hidden_files_are_no_change(pack, checked):
    (pack / "__pycache__").mkdir()
    (pack / "__pycache__" / "x.pyc").touch()
    (pack / ".swp").touch()
    assert checked(pack).is_good


def test_a_module_put_beside_a_file_that_tries_to_import_it_is_an_addition(
    counter, write, signed, checked
):
    counter.write_text(f"try:\n  import numba_x\nexcept ImportError: ...\n{counter.read_text()}")
    signed(counter)
    assert checked(counter).is_good
    write("numba_x.py", "evil")
    assert differences(checked(counter)) == ["numba_x.py (added)"]


@pytest.mark.parametrize("name", ["counter.toml", "plugin.toml", "counter.json"])
def test_a_manifest_put_beside_a_file_is_an_addition(counter, write, signed, checked, name):
    signed(counter)
    rights = {"id": "counter", "version": "1.0.0", "security": {"capabilities": ["Network"]}}
    as_toml = 'id = "counter"\nversion = "1.0.0"\n[security]\ncapabilities = ["Network"]\n'
    write(name, json.dumps(rights) if name.endswith(".json") else as_toml)
    assert differences(checked(counter)) == [f"{name} (added)"]


@pytest.mark.parametrize("name", ["helper.so", "helper/__init__.py", "helper.pyc"])
def test_what_would_be_imported_in_place_of_a_signed_module_is_an_addition(
    counter, write, signed, checked, name
):
    write("helper.py", "x = 1\n")
    counter.write_text(f"import helper\n{counter.read_text()}")
    signed(counter)
    write(name)
    assert differences(checked(counter)) == [f"{name} (added)"]


def test_a_module_beside_a_file_is_signed_with_it(counter, write, signed, checked):
    helper = write("helper.py", "x = 1\n")
    counter.write_text(f"import helper\n{counter.read_text()}")
    signed(counter)
    helper.write_text("x = 2\n")
    assert differences(checked(counter)) == ["helper.py (changed)"]


def test_a_list_that_was_changed_does_not_fit_its_signature(pack, checked):
    path = pack / "plugin.sums"
    (pack / "extra.py").touch()
    path.write_text(path.read_text() + f"{'0' * 64}  pack/extra.py\n")
    report = checked(pack)
    assert (report.status, "does not fit" in report.message) == ("invalid", True)


def test_the_signature_of_another_plugin_does_not_fit(pack, counter, signed, checked):
    signed(counter)
    shutil.copy(counter.with_name("counter.sums.sig"), pack / "plugin.sums.sig")
    assert checked(pack).status == "invalid"


def test_list_and_signature_of_another_plugin_are_not_this_ones(pack, counter, signed, checked):
    signed(counter)
    shutil.copy(counter.with_name("counter.sums"), pack / "plugin.sums")
    shutil.copy(counter.with_name("counter.sums.sig"), pack / "plugin.sums.sig")
    report = checked(pack)
    assert (report.status, "'counter'" in report.message) == ("invalid", True)


def test_a_key_that_nobody_trusts_is_untrusted_and_the_cure_has_its_line(pack, take, keys):
    report = verify(take(pack), TrustPolicy())
    line = " ".join(keys().with_suffix(".pub").read_text().split()[:2])
    assert (report.status, line in report.cure) == ("untrusted", True)


def test_a_revoked_key_is_untrusted_although_it_is_trusted(pack, take, keys, trusting):
    policy = trusting(keys())
    revoked = TrustPolicy(policy.trusted, frozenset([policy.trusted[0].key.blob]))
    report = verify(take(pack), revoked)
    assert (report.status, "revoked" in report.message) == ("untrusted", True)


def test_a_plugin_described_elsewhere_cant_pass_as_signed(write, signed, take, keys, trusting):
    manifest = write("tool.toml", 'id = "tool"\nversion = "1.0.0"\n')
    source = write("tool.py", "def plugin_entry(): ...")
    signed(source)
    (source.parent / "list").mkdir()
    manifest.unlink()
    elsewhere = write("list/tool.toml", 'id = "tool"\nversion = "1.0.0"\npath = "../tool.py"\n')
    report = verify(take(elsewhere), trusting(keys()))
    assert (report.status, "not signed with it" in report.message) == ("invalid", True)


@pytest.mark.parametrize(
    "entries",
    [
        ["../../etc/passwd"],
        ["/etc/passwd"],
        ["pack/../x"],
        ["a", "a"],
        ["b", "a"],
        ["pack//x"],
        [""],
        ["a\\b"],
    ],
)
def test_a_signed_list_with_a_path_that_none_can_have_is_invalid(
    pack, take, keys, trusting, entries, resign
):
    head = "# nebula-lab signed files 1\n# id pack\n# version 1.0.0\n"
    resign(pack, head + "".join(f"{'0' * 64}  {path}\n" for path in entries))
    report = verify(take(pack), trusting(keys()))
    assert (report.status, "malformed" in report.message) == ("invalid", True)


@pytest.mark.parametrize("text", ["", "hello\n", "\xff\xfe", "# nebula-lab signed files 2\n\n\n\n"])
def test_something_else_that_is_signed_is_no_list(pack, take, keys, trusting, resign, text):
    resign(pack, text)
    assert verify(take(pack), trusting(keys())).status == "invalid"


@pytest.fixture
def resign(keys):
    """Has a trusted key sign whatever text in place of a package's list."""
    from nebula_lab.trust.key_file import signer_from_file

    def write(pack, text):
        raw = text.encode("latin-1")
        (pack / "plugin.sums").write_bytes(raw)
        signer = signer_from_file(keys(), ask=str)
        (pack / "plugin.sums.sig").write_bytes(signer.sign(raw))

    return write


def test_a_list_reads_as_it_was_written(package, take):
    signed_files = SignedFiles.of(take(package))
    assert SignedFiles.parse(signed_files.text) == signed_files
