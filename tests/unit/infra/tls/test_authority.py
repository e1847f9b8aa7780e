"""The private authority: kept between starts, renewed in time, and never replaced where its key is lost."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from infra.tls.authority import AUTHORITY_LIFE, LIFE, stored_authority
from infra.tls.certificate_files import CertificateUnusable
from tests.unit.infra.tls.certificates import NOW, private_authority


def test_its_folder_and_keys_are_the_owners_alone(tmp_path: Path) -> None:
    own = private_authority(tmp_path / "tls")
    own.server("gateway")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "tls").iterdir()}
    assert modes == {"ca.pem": 0o600, "ca.key": 0o600, "gateway.pem": 0o600}
    assert stat.S_IMODE((tmp_path / "tls").stat().st_mode) == 0o700


def test_certificates_are_kept_until_a_third_of_their_life_is_left_or_they_are_damaged(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    own = private_authority(folder)
    first = own.server("gateway").read_bytes()
    assert private_authority(folder, NOW + LIFE * 0.6).server("gateway").read_bytes() == first
    later = private_authority(folder, NOW + LIFE * 0.7)
    renewed = later.server("gateway").read_bytes()
    assert renewed != first
    assert later.server("gateway").read_bytes() == renewed
    later.server("gateway").write_text("damaged")
    assert "BEGIN CERTIFICATE" in later.server("gateway").read_text()
    anew = private_authority(folder, NOW + AUTHORITY_LIFE * 0.7)
    assert anew.certificate != own.certificate
    assert anew.server("gateway").read_bytes() != renewed


def test_a_lost_or_foreign_key_is_an_error_and_no_new_authority(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    private_authority(folder)
    private_authority(tmp_path / "other")
    key = (folder / "ca.key").read_bytes()
    (folder / "ca.key").unlink()
    with pytest.raises(CertificateUnusable, match="is gone: restore it"):
        private_authority(folder)
    (folder / "ca.key").write_bytes((tmp_path / "other/ca.key").read_bytes())
    (folder / "ca.key").chmod(0o600)
    with pytest.raises(CertificateUnusable, match="is not the key of"):
        private_authority(folder)
    (folder / "ca.key").write_bytes(key)
    (folder / "ca.key").chmod(0o644)
    with pytest.raises(CertificateUnusable, match="chmod 600"):
        private_authority(folder)
    with pytest.raises(CertificateUnusable, match="yesser up --tls"):
        stored_authority(tmp_path / "none", NOW)  # without an authority no client's certificate is issued
