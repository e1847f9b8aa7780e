"""The folders of a home: each for its owner alone, and the passwords of an earlier release sorted into them."""

from __future__ import annotations

from pathlib import Path

from infra.data_dir import DataDir


def test_the_folders_are_for_their_owner_alone_also_one_that_others_could_enter(tmp_path: Path) -> None:
    home = DataDir.at(tmp_path / "home")
    home.create()
    home.kafka.chmod(0o755)
    home.create()
    assert {path.stat().st_mode & 0o777 for path in (home.root, *home.root.iterdir())} == {0o700}


def test_passwords_of_an_earlier_release_go_to_their_principals_and_the_others_away(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in ("kafka-admin", "kafka-controller", "postgres-superuser", "kafka-gateway", "gateway-token-key"):
        (secrets / name).write_text(name)
    for name in ("kafka-platform", "postgres-yesser", "kafka-agency-health"):
        (secrets / name).write_text("of no use any more")
    (secrets / "notes").write_text("of the operator")
    for _ in range(2):
        DataDir.at(tmp_path).create()
    assert {str(path.relative_to(secrets)): path.read_text() for path in secrets.glob("*/*")} == {
        "superuser/kafka": "kafka-admin",
        "superuser/kafka-controller": "kafka-controller",
        "superuser/postgres": "postgres-superuser",
        "gateway/kafka": "kafka-gateway",
        "tokens/hash-key": "gateway-token-key",
    }
    assert [path.name for path in secrets.iterdir() if path.is_file()] == ["notes"]
    assert {path.stat().st_mode & 0o777 for path in secrets.iterdir() if path.is_dir()} == {0o700}
