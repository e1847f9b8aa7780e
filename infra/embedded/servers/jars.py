"""Kafka's jars: listed with hashes in `kafka-jars.lock`, fetched once from Maven, verified at every start.

The lock has one line per jar, `sha256  group:artifact:version`, and no address. A jar that differs from the lock is
never run. `make kafka-lock` regenerates the lock from `KAFKA` below.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from infra.data_dir import cache_folder
from infra.errors import StackError

KAFKA_VERSION: Final = "4.4.0"
KAFKA: Final = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}"
SLF4J_BINDING: Final = ("org.apache.logging.log4j", "log4j-slf4j-impl")
"""Kafka ships log4j without an SLF4J binding, and without one the broker logs nothing. The version is log4j's."""
TOOLS: Final = ("org.apache.kafka", "kafka-tools")
"""Kafka's command-line tools. The console producer needs no further dependency of this jar."""
LOCK_FILE: Final = "kafka-jars.lock"
DOWNLOADS_AT_ONCE: Final = 4
DOWNLOAD_TIMEOUT_S: Final = 60
FREE_BYTES_MIN: Final = 300 << 20

Fetch = Callable[["Jar", Path], Path]
"""Downloads a jar into a folder and returns its path."""
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, order=True)
class Jar:
    """One jar of the class path: its Maven coordinates and the SHA-256 of its bytes."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    @property
    def coordinates(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"


def parse_lock(text: str) -> list[Jar]:
    """The jars of a lock by file name, which is the order of the class path (archives depend on it)."""
    jars = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            sha256, coordinates = line.split()
            group, artifact, version = coordinates.split(":")
            jars.append(Jar(group, artifact, version, sha256))
    return sorted(jars, key=lambda jar: jar.file_name)


def format_lock(jars: Iterable[Jar]) -> str:
    head = "# Kafka's jars by SHA-256 and Maven coordinates. Written by `make kafka-lock`; not edited by hand.\n"
    return head + "".join(f"{jar.sha256}  {jar.coordinates}\n" for jar in sorted(jars))


def lock_text() -> str:
    return files("infra.embedded.servers").joinpath(LOCK_FILE).read_text(encoding="utf-8")


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def ensure_jars(cache: Path, progress: Progress, fetch: Fetch | None = None, lock: str | None = None) -> list[Path]:
    """The verified jars of a lock, by default Kafka's, in class-path order; missing or damaged ones are fetched."""
    text = lock or lock_text()
    jars = parse_lock(text)
    folder = cache / f"kafka-{KAFKA_VERSION}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    files = [(folder / jar.file_name, jar) for jar in jars]
    missing = [jar for file, jar in files if not (file.is_file() and sha256_of(file) == jar.sha256)]
    if missing:
        _prepare(folder)
        for done, jar in enumerate(_fetch_all(missing, folder, fetch or fetch_from_maven), 1):
            progress(f"Kafka {KAFKA_VERSION}: {done}/{len(missing)} jars ({jar.file_name})")
    return [folder / jar.file_name for jar in jars]


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise StackError(
            f"The cache folder {folder} cannot be written ({error.strerror}): set another one in YESSER_CACHE."
        ) from error
    if free < FREE_BYTES_MIN:
        raise StackError(
            f"There are only {free >> 20} MiB free for {folder}; Kafka needs {FREE_BYTES_MIN >> 20} MiB: "
            "free some space, or set a folder on another disk in YESSER_CACHE."
        )


def _fetch_all(jars: list[Jar], folder: Path, fetch: Fetch) -> Iterator[Jar]:
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as scratch,
        ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool,
    ):
        paths = pool.map(lambda jar: _fetch_one(jar, Path(scratch), fetch), jars)
        for jar, path in zip(jars, paths, strict=True):
            path.replace(folder / jar.file_name)
            yield jar


def _fetch_one(jar: Jar, scratch: Path, fetch: Fetch) -> Path:
    try:
        path = fetch(jar, scratch)
    except (OSError, RuntimeError, ValueError) as error:
        raise StackError(
            f"{jar.coordinates} could not be downloaded from Maven ({type(error).__name__}): "
            "check the network (or set a mirror in YESSER_MAVEN_REPOSITORY) and run the same command again."
        ) from error
    sha256 = sha256_of(path)
    if sha256 != jar.sha256:
        raise StackError(
            f"{jar.coordinates} has SHA-256 {sha256}, but {LOCK_FILE} has {jar.sha256}: the download is damaged or "
            "another jar; it was deleted. Run the same command again, or check the mirror."
        )
    return path


def fetch_from_maven(jar: Jar, scratch: Path) -> Path:
    """Download with jgo's resolver, from the mirror in `YESSER_MAVEN_REPOSITORY` or from Maven Central."""
    from jgo.maven import MavenContext  # imported here: a start with a full cache needs no HTTP client

    mirror = os.environ.get("YESSER_MAVEN_REPOSITORY")
    context = MavenContext(
        repo_cache=scratch, remote_repos={"mirror": mirror} if mirror else None, timeout=DOWNLOAD_TIMEOUT_S
    )
    path: Path = context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
    return path


def resolve_lock(scratch: Path) -> list[Jar]:
    """Resolve `KAFKA` with its dependencies, as Maven does, and hash the jars.

    The binding is added without its dependencies, since its parent's managed versions would downgrade Kafka's. So are
    the tools, which would add Kafka Connect and its web server.
    """
    import jgo
    from jgo.maven import MavenContext

    environment = jgo.build(KAFKA, cache_dir=scratch / "environment", update=True)
    assert environment.lockfile is not None
    jars = []
    for path in (*environment.jars_dir.iterdir(), *environment.modules_dir.iterdir()):
        dependency = next(
            d for d in environment.lockfile.dependencies if path.name == f"{d.artifactId}-{d.version}.jar"
        )
        jars.append(Jar(dependency.groupId, dependency.artifactId, dependency.version, sha256_of(path)))
    logging_version = next(jar.version for jar in jars if jar.artifact == "log4j-core")
    context = MavenContext(repo_cache=scratch / "alone", timeout=DOWNLOAD_TIMEOUT_S)
    for (group, artifact), version in ((SLF4J_BINDING, logging_version), (TOOLS, KAFKA_VERSION)):
        path = context.project(group, artifact).at_version(version).artifact().resolve()
        jars.append(Jar(group, artifact, version, sha256_of(path)))
    return jars


def write_lock() -> None:
    """Regenerate the lock (`make kafka-lock`)."""
    with tempfile.TemporaryDirectory() as scratch:
        jars = resolve_lock(Path(scratch))
    Path(__file__).with_name(LOCK_FILE).write_text(format_lock(jars), encoding="utf-8")


def main(arguments: list[str]) -> None:
    """`fetch` fills the cache, `lock` writes the lock."""
    try:
        if arguments == ["lock"]:
            write_lock()
        else:
            ensure_jars(cache_folder(), lambda line: print(line, flush=True))  # noqa: T201 - progress of `make`
    except StackError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
