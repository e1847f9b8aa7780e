"""A SoftHSM token for a test. Debian's package is `softhsm2`."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism
from pkcs11.util.ec import encode_named_curve_parameters

from infra.private_keys import token_session

HAS_SOFT_HSM: Final = shutil.which("softhsm2-util") is not None
MODULES: Final = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so")
PIN: Final = "2468"
_ED25519: Final = "1.3.101.112"


@dataclass(frozen=True)
class SoftHsm:
    """One token, `log`, whose objects are files below `folder`."""

    folder: Path

    @property
    def module(self) -> str:
        return next(path for path in MODULES if Path(path).exists())

    @property
    def pin_file(self) -> Path:
        return self.folder / "pin"

    def uri(self, key: str = "log-2026") -> str:
        return f"pkcs11:token=log;object={quote(key)}?module-path={self.module}&pin-source=file:{self.pin_file}"

    def make_key(self, key: str = "log-2026") -> str:
        """Make an Ed25519 key in the token; returns its address."""
        self.forget()
        session = pkcs11.lib(self.module).get_token(token_label="log").open(rw=True, user_pin=PIN)
        curve = {Attribute.EC_PARAMS: encode_named_curve_parameters(_ED25519)}
        parameters = session.create_domain_parameters(KeyType.EC_EDWARDS, curve, local=True)
        parameters.generate_keypair(mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN, store=True, label=key, id=key.encode())
        session.close()
        self.forget()
        return self.uri(key)

    def remove(self) -> None:
        """Take the device away."""
        (self.folder / "tokens").rename(self.folder / "removed")

    def connect(self) -> None:
        """Bring it back."""
        (self.folder / "removed").rename(self.folder / "tokens")

    def forget(self) -> None:
        """As a new process: no session is open."""
        token_session._module.cache_clear()
        pkcs11.lib(self.module).finalize()


@contextmanager
def soft_hsm(folder: Path) -> Iterator[SoftHsm]:
    """A new token in this folder. The process's environment says where SoftHSM's tokens are."""
    (folder / "tokens").mkdir(parents=True)
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    hsm = SoftHsm(folder)
    try:
        command = ["softhsm2-util", "--init-token", "--free", "--label", "log", "--pin", PIN, "--so-pin", "1357"]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        hsm.pin_file.touch(0o600)
        hsm.pin_file.write_text(PIN)
        hsm.forget()
        yield hsm
    finally:
        hsm.forget()
        if before is None:
            del os.environ["SOFTHSM2_CONF"]
        else:
            os.environ["SOFTHSM2_CONF"] = before
