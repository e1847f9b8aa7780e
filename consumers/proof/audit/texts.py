"""The free texts of a log elsewhere: kept beside a mirror's bundles, deleted once the log withholds them, and verified.

Flows in: entries that are proven, and texts that nobody signed. Flows out: each text compared with the hash in its
entry. What an entry withholds is never kept, whatever the source still shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Final

from msgspec import UNSET, Struct

from consumers.proof.audit.pinned_checkpoint import replace_file
from events.errors import YesserError
from events.values.bilingual import Bilingual, InTwoLanguages
from events.wire.entry import has_texts
from infra.log.key_history import KeyHistory
from infra.log.layout import TILE, texts_path
from infra.log.ports.bundle_texts import (
    BundleText,
    Matched,
    TextKey,
    Withholdings,
    WrongText,
    match_texts,
    text_lines,
)
from infra.log.ports.port import LogPort
from infra.log.signed_note import Checkpoint

TEXTS: Final = "texts"


class TextsHeld(YesserError):
    """Texts that the log withholds are still here: bring the mirror to the log again, or delete them from the file."""


class HeldText(Struct, frozen=True):
    """A text that a copy still has, though the entry `withheld_by` of the log withholds it."""

    index: int
    pointer: str
    withheld_by: int
    file: str


class TextsReport(Struct, frozen=True):
    """The texts beside the entries of a log: how many are here, withheld, and lacking; and those that are here though
    they are withheld."""

    count: int
    withheld: int
    lacking: int
    held: list[HeldText]

    @property
    def sentence(self) -> InTwoLanguages:
        """The counts, for people."""
        return Bilingual(
            "نصوص القيود: {:,} تطابق بصماتها، و{:,} محجوبة، و{:,} ليست هنا.",
            "Texts of entries: {:,} give their hashes, {:,} are withheld, {:,} are not here.",
        ).format(self.count, self.withheld, self.lacking)

    def require_none_held(self, place: str) -> None:
        """Raise `TextsHeld`."""
        if self.held:
            texts = ", ".join(f"{text.pointer} of entry {text.index} ({text.file})" for text in self.held)
            raise TextsHeld(f"{place}: {texts}. {TextsHeld.__doc__}")


@dataclass(slots=True)
class WatchedLog:
    """A log whose entries are read once, in order: the texts of each bundle are compared with it as it passes."""

    port: LogPort
    _withholdings: Withholdings = field(default_factory=Withholdings)
    _count: int = 0
    _lacking: int = 0
    _withheld: dict[TextKey, int] = field(default_factory=dict)
    _next: int = 0

    async def checkpoint(self) -> Checkpoint:
        return await self.port.checkpoint()

    async def keys(self) -> KeyHistory:
        return await self.port.keys()

    async def hashes(self, level: int, first: int, count: int) -> list[bytes]:
        return await self.port.hashes(level, first, count)

    async def texts(self, number: int) -> list[BundleText]:
        return await self.port.texts(number)

    async def entries(self, first: int, count: int) -> list[bytes]:
        """As of a `LogPort`. Raises `WrongText`."""
        entries = await self.port.entries(first, count)
        if first == self._next:  # what is read again was looked at
            self._next += len(entries)
            self._withholdings.look(first, entries)
            for number, start, own in _by_bundle(first, entries):
                if any(map(has_texts, own)):
                    self._note(match_texts(start, own, await self.port.texts(number), texts_path(number)))
        return entries

    def _note(self, matched: Matched) -> None:
        self._lacking += len(matched.lacking)
        withheld = {text.key: text.withheld_by for text in matched.texts if text.withheld_by is not UNSET}
        self._withheld |= withheld
        self._count += len(matched.texts) - len(withheld)

    async def report(self) -> TextsReport | None:
        """Once all entries were read; None where the log has no texts. Raises `WrongText` for one that is said to be
        withheld by an entry that does not withhold it."""
        by = {key: index for key, (index, _) in self._withholdings.by.items()}
        for (index, member), withheld_by in self._withheld.items():
            if withheld_by < self._next and by.get((index, member)) != withheld_by:
                place = f"{texts_path(index // TILE)}: /data/{member} of entry {index}"
                raise WrongText(f"{place}: entry {withheld_by} does not withhold it. {WrongText.__doc__}")
        held = [
            HeldText(index, f"/data/{member}", by[index, member], texts_path(index // TILE))
            for index, member in sorted(by.keys() - self._withheld.keys())
            if await self._has(index, member)
        ]
        found = TextsReport(self._count, len(self._withheld), self._lacking, held)
        return found if found.count or found.withheld or found.lacking else None

    async def _has(self, index: int, member: str) -> bool:
        texts = await self.port.texts(index // TILE)
        return any(text.key == (index, member) and text.salt is not UNSET for text in texts)


class EntryTexts:
    """The texts of the proven entries of a log, read in the order of the log: a bundle's are asked for once."""

    def __init__(self, port: LogPort) -> None:
        self._port = port
        self._number = -1
        self._texts: list[BundleText] = []

    async def of(self, index: int, raw: bytes) -> list[BundleText]:
        """The texts of an entry, as far as the source has them. Raises `WrongText`."""
        if not has_texts(raw):
            return []
        if self._number != index // TILE:
            self._number, self._texts = index // TILE, await self._port.texts(index // TILE)
        return match_texts(index, [raw], self._texts, texts_path(self._number)).texts


@dataclass(slots=True)
class MirrorTexts:
    """The files of texts in the folder of a mirror of `size` entries. `written` counts those that were written."""

    source: LogPort
    own: LogPort
    folder: Path
    size: int
    written: int = 0
    _withholdings: Withholdings = field(default_factory=Withholdings)
    _bundles: set[int] = field(default_factory=set)

    def look(self, number: int, entries: Sequence[bytes]) -> None:
        """Note what the entries of a bundle withhold, and whether they have texts."""
        self._withholdings.look(number * TILE, entries)
        if any(map(has_texts, entries)):
            self._bundles.add(number)

    async def update(self, bundles: Iterable[int]) -> None:
        """Bring the files to the log, by these bundles of the folder and those that `look` has seen: what they withhold
        is deleted, and what the folder lacks of their texts is added. Raises `WrongText`."""
        for left in (self.folder / TEXTS).rglob(".*"):  # of a run that was interrupted
            left.unlink()
        for number in bundles:
            self.look(number, await self._entries(number))
        for number in sorted(self._bundles | {index // TILE for index, _ in self._withholdings.by}):
            await self._update(number)

    async def _update(self, number: int) -> None:
        path, entries = texts_path(number), await self._entries(number)
        own = await self.own.texts(number)
        matched = match_texts(number * TILE, entries, own, str(self.folder / path)) if own else None
        texts = matched.texts if matched else []
        if matched is None or matched.lacking:
            found = match_texts(number * TILE, entries, await self.source.texts(number), path).texts
            had = {text.key for text in texts}
            # Who says that a text is withheld, without an entry that withholds it, has not shown it.
            shown = [text for text in found if text.salt is not UNSET or text.key in self._withholdings.by]
            texts = sorted([*texts, *(text for text in shown if text.key not in had)], key=attrgetter("key"))
        texts = [self._withholdings.withheld(text) for text in texts]
        if texts != own:
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            replace_file(file, text_lines(texts))
            self.written += 1

    async def _entries(self, number: int) -> list[bytes]:
        return await self.own.entries(number * TILE, min(TILE, self.size - number * TILE))


def _by_bundle(first: int, entries: Sequence[bytes]) -> Iterator[tuple[int, int, Sequence[bytes]]]:
    """The number of each bundle, and its entries with the index of the first."""
    end = first + len(entries)
    while first < end:
        number = first // TILE
        stop = min(end, (number + 1) * TILE)
        own, entries = entries[: stop - first], entries[stop - first :]
        yield number, first, own
        first = stop
