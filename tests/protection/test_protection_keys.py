"""Who may sign what, and how that changes."""

from __future__ import annotations

import json
import os

import pytest
from registry_lab import FolderTransport, Lab, offer

from nebula_lab.errors import RegistryError, RegistryTrustError, SshKeyError
from nebula_lab.registry.protection.keys import public_key_from, signer_from
from nebula_lab.registry.protection.memory import RegistryMemory
from nebula_lab.registry.protection.roles import ONLINE, Role
from nebula_lab.registry.protection.rotation import change_root
from nebula_lab.registry.protection.session import open_session
from nebula_lab.registry.protection.signing import refresh
from nebula_lab.registry.protection.trusting import ask_root
from nebula_lab.trust.key_file import signer_from_file

PLUGIN = "plugins/counter.json"


def fingerprint_of(lab, name):
    return signer_from_file(lab.keys.file(name), lambda: "").public_key.fingerprint


def test_new_keys_of_every_role_are_followed(lab):
    lab.session()
    change_root(
        lab.folder,
        lab.signers("root", "targets", "snapshot", "timestamp", "root2", "targets2", "ts2"),
        add={
            Role.ROOT: [lab.keys.public("root2")],
            Role.TARGETS: [lab.keys.public("targets2")],
            Role.TIMESTAMP: [lab.keys.public("ts2")],
        },
        remove={
            Role.ROOT: [fingerprint_of(lab, "root")],
            Role.TARGETS: [fingerprint_of(lab, "targets")],
            Role.TIMESTAMP: [fingerprint_of(lab, "timestamp")],
        },
    )
    lab.sign("targets2", "snapshot", "ts2")
    assert lab.session().read(PLUGIN) is not None
    with pytest.raises(RegistryTrustError, match="has no role"):
        lab.sign("targets")


def test_a_root_that_the_old_keys_did_not_sign_is_refused(lab):
    with pytest.raises(RegistryTrustError, match="the root as it was"):
        change_root(lab.folder, lab.signers("thief"), add={Role.ROOT: [lab.keys.public("thief")]})


def test_a_client_refuses_a_root_that_the_old_keys_did_not_sign(lab, tmp_path):
    thief = Lab(tmp_path / "thief")
    offer(thief.root, "counter", "1.0.0")
    thief.init()
    change_root(thief.folder, thief.signers("root"))
    forged = thief.root / "metadata/2.root.json"
    (lab.root / "metadata/2.root.json").write_bytes(forged.read_bytes())
    with pytest.raises(RegistryTrustError, match="not signed by the keys"):
        lab.session()


def test_a_key_that_lost_its_role_signs_nothing_any_more(lab):
    stolen = lab.copy("stolen")
    change_root(
        lab.folder,
        lab.signers("root", "ts2"),
        add={Role.TIMESTAMP: [lab.keys.public("ts2")]},
        remove={Role.TIMESTAMP: [fingerprint_of(lab, "timestamp")]},
    )
    lab.session()
    # Whoever has stolen it serves the new root, which can't be kept from clients that know it.
    (stolen / "metadata/2.root.json").write_bytes((lab.root / "metadata/2.root.json").read_bytes())
    lab.transport.folder = stolen
    with pytest.raises(RegistryTrustError, match="not signed by the keys"):
        lab.session()


def test_two_keys_can_be_asked_for(lab):
    change_root(
        lab.folder,
        lab.signers("root"),
        add={Role.TARGETS: [lab.keys.public("second")]},
        thresholds={Role.TARGETS: 2},
    )
    report = lab.sign("targets")
    assert "2 keys" in report.waiting[Role.TARGETS]
    with pytest.raises(RegistryTrustError, match="not signed by the keys"):
        lab.session()
    assert not lab.sign("targets", "second", *ONLINE).waiting
    assert lab.session().read(PLUGIN) is not None


def test_a_role_cannot_be_left_without_keys(lab):
    with pytest.raises(RegistryTrustError, match="would need 1 signatures, and have 0 keys"):
        change_root(
            lab.folder,
            lab.signers("root"),
            remove={Role.TARGETS: [fingerprint_of(lab, "targets")]},
        )


def test_online_keys_keep_fresh_what_was_signed_and_sign_nothing_new(lab):
    offer(lab.root, "counter", "1.0.0", "1.1.0", "9.9.9")
    report = lab.sign(*ONLINE)
    assert "it takes a key of SHA256:" in report.waiting[Role.TARGETS]
    assert b"9.9.9" not in lab.session().read(PLUGIN)


def test_online_keys_take_up_what_was_signed_elsewhere(lab):
    offer(lab.root, "counter", "1.0.0", "1.1.0", "1.2.0")
    lab.sign("targets")
    assert b"1.2.0" not in lab.session().read(PLUGIN)
    assert refresh(lab.folder, lab.signers(*ONLINE)).signed == ONLINE
    assert b"1.2.0" in lab.session().read(PLUGIN)


def test_a_refresh_that_is_not_due_signs_nothing(lab):
    assert refresh(lab.folder, lab.signers()).signed == ()


def test_a_registry_is_given_its_keys_once(lab):
    with pytest.raises(RegistryTrustError, match="has its keys already"):
        lab.init()


def test_the_keys_of_a_registry_are_shown_before_they_are_trusted(lab):
    asked = ask_root("http://127.0.0.1/registry", FolderTransport(lab.root))
    assert asked.roles[Role.ROOT].fingerprints == (fingerprint_of(lab, "root"),)
    assert asked.version == 1
    change_root(lab.folder, lab.signers("root"))
    again = ask_root("http://127.0.0.1/registry", FolderTransport(lab.root))
    assert again.version == 2


def test_a_registry_that_is_not_signed_has_no_keys_to_show(tmp_path):
    offer(tmp_path, "counter", "1.0.0")
    with pytest.raises(RegistryTrustError, match="is not signed"):
        ask_root("http://127.0.0.1/registry", FolderTransport(tmp_path))


def test_without_trusted_keys_nothing_is_read(lab, tmp_path):
    lab.memory = RegistryMemory("http://127.0.0.1/other", tmp_path / "client")
    with pytest.raises(RegistryTrustError, match="no keys are trusted") as caught:
        lab.session()
    assert "registry trust" in caught.value.hint


def test_keys_that_are_not_ed25519_are_refused_by_name(tmp_path):
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    key = ec.generate_private_key(ec.SECP256R1())
    private = tmp_path / "ecdsa"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    private.chmod(0o600)
    public = tmp_path / "ecdsa.pub"
    public.write_bytes(key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH))
    for read in (lambda: signer_from(private, lambda: ""), lambda: public_key_from(public)):
        with pytest.raises(SshKeyError, match="ecdsa-sha2-nistp256 can't sign a registry"):
            read()


def test_a_key_that_an_agent_holds_signs(lab, ssh_agent):
    ssh_agent.add(lab.keys.file("targets"))
    offer(lab.root, "counter", "1.0.0", "1.1.0", "1.2.0")
    signer = signer_from(lab.keys.file("targets").with_suffix(".pub"), lambda: "")
    from nebula_lab.registry.protection.signing import sign

    assert Role.TARGETS in sign(lab.folder, [signer, *lab.signers(*ONLINE)]).signed
    assert b"1.2.0" in lab.session().read(PLUGIN)


def test_what_was_known_holds_while_the_registry_cannot_be_reached(lab):
    lab.session().read(PLUGIN)
    lab.transport.blocked = True
    session = lab.session()
    assert "can't be reached" in str(session.problem)
    assert json.loads(session.read(PLUGIN))["id"] == "counter"


def test_an_unknown_registry_that_cannot_be_reached_is_an_error(lab):
    lab.transport.blocked = True
    with pytest.raises(RegistryError, match="can't be reached"):
        lab.session()


def test_a_document_that_has_not_changed_is_not_asked_for_again(lab):
    lab.session().read(PLUGIN)
    lab.transport.asked.clear()
    lab.session().read(PLUGIN)
    assert lab.transport.asked == ["metadata/2.root.json", "metadata/timestamp.json"]


def test_what_was_known_of_a_registry_can_be_forgotten(lab, tmp_path):
    lab.session().read(PLUGIN)
    other = Lab(tmp_path / "other")
    offer(other.root, "counter", "2.0.0")
    other.init()
    lab.transport.folder = other.root
    lab.memory.forget()
    lab.memory.trust((other.root / "metadata/1.root.json").read_bytes())
    assert b"2.0.0" in lab.session().read(PLUGIN)


def test_a_configuration_names_the_root_relative_to_itself(tmp_path):
    from nebula_lab import PluginConfig

    file = tmp_path / "plugin_resource.yaml"
    file.write_text(
        "discovery: {type: Registry, url: 'http://127.0.0.1:1/', root: team-root.json}\n"
    )
    assert PluginConfig.from_file(file).discovery.root == tmp_path / "team-root.json"


def test_a_root_that_is_not_there_is_said_to_be(tmp_path):
    from nebula_lab.errors import ConfigError
    from nebula_lab.model.discovery_strategy import Registry
    from nebula_lab.registry.client.client import RegistryClient

    with pytest.raises(ConfigError, match="root of the registry can't be read"):
        RegistryClient(Registry(url="http://127.0.0.1:1/", root=tmp_path / "missing.json"))


def test_a_root_that_is_rubbish_is_refused(lab):
    with pytest.raises(RegistryTrustError):
        open_session(lab.memory, lab.transport, b"rubbish")


def test_what_no_client_needs_any_more_is_removed_after_a_day(lab):
    def signed():
        return {path.relative_to(lab.root).as_posix() for path in lab.root.rglob("*.*.json")}

    begun = signed()
    for last in range(4):
        offer(lab.root, "counter", "1.0.0", "1.1.0", f"2.{last}.0", yanked=(f"2.{last}.0",))
        lab.sign()
        if not last:
            for path in begun:
                os.utime(lab.root / path, (0, 0))
    left = signed()
    assert begun & left == {"metadata/1.root.json"} | {
        path for path in begun if path.startswith("signed/") and ".index." in path
    }
    assert {"metadata/5.targets.json", "metadata/4.targets.json"} <= left
    assert lab.session().read(PLUGIN) is not None


def test_a_folder_that_cannot_be_written_is_an_error_of_ours(lab, tmp_path):
    (tmp_path / "file").write_text("in the way")
    lab.memory = RegistryMemory("http://127.0.0.1/registry", tmp_path / "file")
    root = (lab.root / "metadata/1.root.json").read_bytes()
    with pytest.raises(RegistryError, match="can't be kept"):
        open_session(lab.memory, lab.transport, root)


def test_what_is_remembered_and_damaged_is_an_error_that_names_the_file(lab):
    lab.session().read(PLUGIN)
    (lab.memory.folder / "seen/counter.json").write_text("{")
    with pytest.raises(RegistryError, match=r"damaged") as caught:
        lab.session().read(PLUGIN)
    assert str(caught.value.path).endswith("seen/counter.json")
