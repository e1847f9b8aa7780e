"""Kafka's jars: only what the lock names, byte for byte, ever reaches the class path."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from infra.embedded.servers import jars
from infra.embedded.servers.jars import Jar, ensure_jars, format_lock, parse_lock
from infra.errors import StackError

CONTENT = {"a-1.jar": b"first", "b-2.jar": b"second"}
LOCK = [
    Jar("org.a", "a", "1", hashlib.sha256(b"first").hexdigest()),
    Jar("org.b", "b", "2", hashlib.sha256(b"second").hexdigest()),
]


class Maven:
    """A repository that returns `content` and records the requests."""

    def __init__(self, content: dict[str, bytes]) -> None:
        self.content = content
        self.asked: list[str] = []

    def __call__(self, jar: Jar, folder: Path) -> Path:
        self.asked.append(jar.file_name)
        if jar.file_name not in self.content:
            raise OSError("no route to host")
        path = folder / jar.file_name
        path.write_bytes(self.content[jar.file_name])
        return path


def ensure(cache: Path, maven: Maven) -> list[Path]:
    return ensure_jars(cache, lambda _: None, maven, format_lock(LOCK))


def test_the_committed_lock_names_each_jar_once_with_a_hash_and_no_address() -> None:
    text = jars.lock_text()
    found = parse_lock(text)
    assert "//" not in text
    assert len({jar.file_name for jar in found}) == len(found) > 40
    assert all(len(jar.sha256) == 64 for jar in found)
    assert "kafka-clients-4.4.0.jar" in {jar.file_name for jar in found}
    assert format_lock(found) == text


def test_what_is_in_the_cache_is_not_fetched_again_unless_it_is_damaged(tmp_path: Path) -> None:
    maven = Maven(CONTENT)
    first = ensure(tmp_path, maven)
    assert [path.read_bytes() for path in first] == [b"first", b"second"]
    assert ensure(tmp_path, maven) == first
    assert maven.asked == ["a-1.jar", "b-2.jar"]
    first[1].write_bytes(b"rotten")
    ensure(tmp_path, maven)
    assert maven.asked[2:] == ["b-2.jar"]
    assert first[1].read_bytes() == b"second"


def test_a_jar_that_is_not_the_locked_one_never_stays_and_each_failure_is_a_sentence_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StackError, match=r"org\.b:b:2 has SHA-256 .* but kafka-jars\.lock has"):
        ensure(tmp_path, Maven(CONTENT | {"b-2.jar": b"evil"}))
    assert not list(tmp_path.rglob("b-2.jar"))
    with pytest.raises(StackError, match=r"could not be downloaded from Maven .*check the network.*again"):
        ensure(tmp_path, Maven({}))
    monkeypatch.setattr(jars, "FREE_BYTES_MIN", 1 << 62)
    with pytest.raises(StackError, match=r"MiB free .*YESSER_CACHE"):
        ensure(tmp_path, Maven(CONTENT))
