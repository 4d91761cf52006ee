"""What a configuration lets pass, and what it says of what it does not."""

from __future__ import annotations

import warnings

import pytest

from nebula_lab.errors import ConfigError, SignatureError
from nebula_lab.model import PluginConfig
from nebula_lab.model.security import SecurityConfig
from nebula_lab.trust.policy import EditedPluginWarning, policy_of, require
from nebula_lab.trust.verifying import verify

DAY = 86_400.0


@pytest.fixture
def public(keys):
    return keys().with_suffix(".pub").read_text().strip()


@pytest.fixture
def security(public):
    """A configuration that asks for signatures and trusts the usual key."""

    def make(**options):
        return SecurityConfig(**{"verify_signature": True, "trusted_keys": (public,), **options})

    return make


def test_where_no_signatures_are_asked_for_none_is_looked_at(package, take):
    assert require(take(package), SecurityConfig(trusted_keys=("rubbish",))) is None


def test_a_plugin_that_a_trusted_key_signed_passes(package, signed, take, security):
    signed(package)
    assert require(take(package), security()).is_good


def test_a_plugin_that_is_not_signed_is_refused_with_the_cure(package, take, security):
    with pytest.raises(SignatureError, match="not signed") as caught:
        require(take(package), security())
    error = caught.value
    assert (error.plugin_id, error.path) == ("pack", package)
    assert "nebula-lab sign" in error.hint
    assert error.report.status == "unsigned"


def test_without_any_trusted_key_nothing_passes(package, signed, take, security):
    signed(package)
    with pytest.raises(SignatureError, match="not trusted"):
        require(take(package), security(trusted_keys=()))


def test_keys_of_an_allowed_signers_file_are_trusted(
    package, signed, take, security, keys, tmp_path
):
    signed(package, "ecdsa256")
    signers = tmp_path / "allowed_signers"
    signers.write_text(f"ana@example.org {keys('ecdsa256').with_suffix('.pub').read_text()}")
    report = require(take(package), security(allowed_signers=signers))
    assert report.signer == "ana@example.org"


def test_a_file_of_trusted_keys_is_read_anew_each_time(
    package, signed, take, security, public, tmp_path
):
    signed(package)
    signers = tmp_path / "allowed_signers"
    signers.write_text(f"ana {public}")
    asked = security(trusted_keys=(), allowed_signers=signers)
    assert require(take(package), asked).is_good
    signers.write_text("")
    with pytest.raises(SignatureError, match="not trusted"):
        require(take(package), asked)


def test_a_revoked_key_is_refused(package, signed, take, security, public, tmp_path):
    signed(package)
    revoked = tmp_path / "revoked"
    revoked.write_text(public)
    with pytest.raises(SignatureError, match="revoked"):
        require(take(package), security(revoked_keys=revoked))


def test_a_file_of_revoked_keys_that_is_missing_lets_nothing_pass(
    package, signed, take, security, tmp_path
):
    signed(package)
    with pytest.raises(ConfigError, match="revoked keys can't be read"):
        require(take(package), security(revoked_keys=tmp_path / "gone"))


def test_a_key_counts_between_its_times_and_for_nebula_lab(package, signed, take, security, public):
    signed(package)
    lines = (f'me valid-after="20260101Z",valid-before="20260201Z" {public}',)
    mid = 1_768_435_200.0  # 2026-01-15
    found = [
        verify(take(package), policy_of(security(trusted_keys=lines), at=mid + days * DAY)).status
        for days in (-30, 0, 30)
    ]
    assert found == ["untrusted", "signed", "untrusted"]
    other = (f'me namespaces="git" {public}',)
    report = verify(take(package), policy_of(security(trusted_keys=other)))
    assert (report.status, "'git'" in report.message) == ("untrusted", True)


def test_one_of_several_lines_for_a_key_is_enough(package, signed, take, security, public):
    signed(package)
    lines = (f'old valid-before="20200101" {public}', f"new {public}")
    assert require(take(package), security(trusted_keys=lines)).signer == "new"


def test_an_edited_plugin_is_refused(package, signed, take, security):
    signed(package)
    (package / "extra.py").touch()
    with pytest.raises(SignatureError, match=r"extra\.py \(added\)") as caught:
        require(take(package), security())
    assert "security.development" in caught.value.hint


def test_in_development_an_edited_plugin_passes_with_a_warning(package, signed, take, security):
    signed(package)
    (package / "extra.py").touch()
    with pytest.warns(EditedPluginWarning, match=r"extra\.py \(added\)"):
        report = require(take(package), security(development=True))
    assert report.status == "modified"


def test_in_development_a_new_version_passes_too(package, signed, take, security):
    signed(package)
    (package / "plugin.toml").write_text('id = "pack"\nversion = "1.1.0"\n')
    with pytest.warns(EditedPluginWarning):
        require(take(package), security(development=True))


def test_in_development_a_plugin_as_it_was_signed_passes_silently(package, signed, take, security):
    signed(package)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert require(take(package), security(development=True)).is_good


@pytest.mark.parametrize(
    "spoil",
    [
        lambda package: (package / "plugin.sums.sig").unlink(),
        lambda package: (package / "plugin.sums.sig").write_text("no"),
        lambda package: (package / "plugin.sums").write_text("no"),
        lambda package: (package / "plugin.sums").unlink(),
        lambda package: (package / "plugin.toml").write_text('id = "other"\nversion = "1.0.0"\n'),
    ],
)
def test_development_waives_nothing_else(package, signed, take, security, spoil):
    signed(package)
    spoil(package)
    with pytest.raises(SignatureError):
        require(take(package), security(development=True))


def test_development_waives_no_untrusted_key(package, signed, take, security):
    signed(package, "ecdsa256")
    (package / "extra.py").touch()
    with pytest.raises(SignatureError, match="not trusted"):
        require(take(package), security(development=True))


def test_files_of_keys_are_taken_from_the_folder_of_the_configuration(tmp_path):
    path = tmp_path / "plugin_resource.yaml"
    path.write_text(
        "security:\n  allowed_signers: keys/allowed\n  revoked_keys: ~/revoked\n"
        "  development: true\n"
    )
    security = PluginConfig.from_file(path).security
    assert security.allowed_signers == tmp_path / "keys" / "allowed"
    assert "~" not in str(security.revoked_keys)
    assert security.development
    assert PluginConfig().security.allowed_signers is None


@pytest.mark.parametrize("keys", ['[""]', '["a\\nb"]', "[5]"])
def test_a_trusted_key_that_is_no_line_is_refused_when_the_configuration_is_read(tmp_path, keys):
    path = tmp_path / "plugin_resource.json"
    path.write_text(f'{{"security": {{"trusted_keys": {keys}}}}}')
    with pytest.raises(ConfigError, match="trusted_keys"):
        PluginConfig.from_file(path)
