"""Signs with OpenSSH's own program, which speaks to security keys."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from nebula_lab.errors import SshKeyError
from nebula_lab.trust.public_key import PublicKey
from nebula_lab.trust.sshsig import NAMESPACE

__all__ = ["SshKeygenSigner"]

_PATIENCE = 120.0  # a person has to find the key and touch it


class SshKeygenSigner:
    """Signs with the key in a file by way of `ssh-keygen -Y sign`."""

    def __init__(self, path: Path, public_key: PublicKey) -> None:
        self._path = path
        self._public_key = public_key

    @property
    def public_key(self) -> PublicKey:
        return self._public_key

    def sign(self, message: bytes) -> bytes:
        program = shutil.which("ssh-keygen")
        if program is None:
            raise SshKeyError(
                "a security key is used by way of ssh-keygen, which is not on the path",
                path=self._path,
                hint="Install OpenSSH's client, or take an Ed25519 key.",
            )
        # It asks for PIN and passphrase on the terminal itself, so nothing of these passes here.
        command = [program, "-Y", "sign", "-n", NAMESPACE, "-f", str(self._path)]
        try:
            done = subprocess.run(
                command, input=message, capture_output=True, timeout=_PATIENCE, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise SshKeyError(
                f"the security key was not touched within {_PATIENCE:g} s", path=self._path
            ) from error
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip()[-500:]
            raise SshKeyError(f"ssh-keygen could not sign: {said}", path=self._path)
        return done.stdout
