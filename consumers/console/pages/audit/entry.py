"""An entry of the log as a page shows it: its event field by field, its verdict, whether its proof holds, and values of
an event or a figure, as a reader sees them. Every text of an event is isolated, and a very long one cut.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, Literal

import orjson
from markupsafe import Markup

from consumers.console.web.language import Words, code, isolated
from consumers.documents.document import NO, YES, Labelled
from consumers.documents.formulas import amount_text
from consumers.documents.log.entries import Proof
from consumers.documents.log.explanations import Change, DerivedFigure
from consumers.explain.renderings import texts_in
from consumers.revenue.statements.words import exact_riyals
from events.schema_tools.field_meanings import meaning_of
from events.validation.refusal import REFUSED
from events.values.bilingual import Bilingual
from events.wire.entry import Entry, NotAnEntry, parse_entry
from infra.json_documents import to_json
from infra.log.key_history import KeyHistory, parse_transitions
from infra.log.merkle import leaf_hash
from infra.log.ports.bundle_texts import WrongText, match_texts
from infra.log.proofs import verify_inclusion
from infra.log.refusals.documents import Fault
from infra.log.signed_note import (
    Checkpoint,
    InvalidKey,
    InvalidNote,
    Verifier,
    read_checkpoint,
    signature_lines,
    split_note,
)
from infra.private_keys.key_files import read_verifier
from infra.settings import Settings

TEXT_LENGTH_MAX: Final = 2_000
_DATE: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_NONE: Final = "—"


def shown(words: Words, name: str, value: Any, sign: str = "") -> Markup | str:
    """`name` tells money (`…_halalas`) and rates (`…_bp`) from other numbers."""
    if value is None:
        return _NONE
    if isinstance(value, bool | Labelled):
        return words.of(value if isinstance(value, Labelled) else YES if value else NO)
    if isinstance(value, int):
        if name.endswith("_halalas"):
            return words.money(value, sign)
        return words.percent(value) if name.endswith("_bp") else words.number(value, sign)
    if isinstance(value, str):
        return _day(words, value) or text(words, value)
    if value == []:
        return _NONE
    if texts := texts_in(value):
        return text(words, words.say("، ", ", ").join(one if isinstance(one, str) else words.of(one) for one in texts))
    return code(cut(words, to_json(value).decode()))


def change(words: Words, name: str, changed: Change) -> Markup | str:
    """By how much a number changed, with its sign; empty for what is no number or was set for the first time."""
    if changed.amount is None:
        return ""
    return shown(words, name, changed.amount, "" if changed.amount < 0 else "+")


def exact_money(words: Words, halalas: int | str) -> Markup:
    """Riyals with every digit that is needed; `halalas` is whole, or a fraction as text such as `79/20`."""
    amount = Fraction(halalas)
    if amount.denominator == 1:
        return words.money(amount.numerator)
    text = Markup('<bdi dir="ltr">{}</bdi>').format(words.say("", "SAR ") + exact_riyals(amount))
    return Markup('<span class="money">{}{}</span>').format(text, words.say(" ر.س", ""))


def formula_line(figure: DerivedFigure) -> Markup:
    """A formula with its numbers: its signs and figures keep their order as a whole."""
    text = f"{figure.formula.numbers} = {amount_text(figure.field, figure.value)}"
    return Markup('<bdi dir="ltr" class="formula">{}</bdi>').format(text)


def text(words: Words, value: str) -> Markup:
    """A text of unknown direction, cut where it is enormous."""
    return isolated(cut(words, value))


def cut(words: Words, value: str) -> str:
    if len(value) <= TEXT_LENGTH_MAX:
        return value
    more = words.say(" … (النص كامل في ملف الإثبات)", " … (the whole text is in the proof file)")
    return value[:TEXT_LENGTH_MAX] + more


def _day(words: Words, value: str) -> Markup | None:
    if _DATE.fullmatch(value) is None:
        return None
    try:
        return words.day(value)
    except ValueError:
        return None


ROWS_MAX: Final = 200
"""Fields that are shown; the rest is in the proof file."""
ProofState = Literal["good", "changed", "not-in-tree", "not-signed", "other-key", "no-key"]


@dataclass(frozen=True, slots=True)
class EventField:
    """A field of the event: its path, what it means, its name for `values.shown`, and its value."""

    path: str
    meaning: Bilingual | None
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class EntryView:
    """An entry, and the fields of its data, the first `ROWS_MAX`."""

    entry: Entry
    fields: tuple[EventField, ...]
    is_cut: bool

    @property
    def is_refusal(self) -> bool:
        return self.entry.type == REFUSED

    @property
    def errors(self) -> list[Fault]:
        """Those of a refusal."""
        found = self.entry.data.get("problem", {}).get("errors", []) if self.is_refusal else []
        names = ("code", "detail", "pointer")
        return [Fault(**{name: str(one.get(name, "")) for name in names}) for one in found]


def entry_view(index: int, raw: bytes) -> EntryView | None:
    """None for bytes that are not an entry, as only changed ones are."""
    try:
        entry = parse_entry(index, raw)
        data = entry.data
    except (NotAnEntry, ValueError):
        return None
    rows = [row for _, row in zip(range(ROWS_MAX + 1), _rows(entry.type, "", "", data), strict=False)]
    return EntryView(entry, tuple(rows[:ROWS_MAX]), len(rows) > ROWS_MAX)


def verifier_of(settings: Settings) -> Verifier | None:
    """The log's public key as its file has it, which pages pin; None where this machine has no such file."""
    try:
        return read_verifier(settings, None)
    except (InvalidKey, OSError):
        return None


def _texts_are_right(proof: Proof) -> bool:
    try:
        match_texts(proof.index, [proof.entry.encode()], proof.kept_texts, "the proof")
    except WrongText:
        return False
    return True


def proof_state(proof: Proof, verifier: Verifier | None) -> ProofState:
    """Whether an entry with its proof is as it was signed. `verifier`: the log's key, pinned.

    `other-key`: the proof holds, under a checkpoint of a log of another name, whose keys are not known here. In the
    log's own name an unknown key is `not-signed`: anyone can write such a line, so nothing shows that the log signed.
    """
    leaf = leaf_hash(proof.entry.encode())
    if base64.b64decode(proof.leaf) != leaf or not _texts_are_right(proof):
        return "changed"
    if verifier is None:
        return "no-key"
    note = proof.checkpoint
    try:
        history = _history(verifier, proof.rotations)
        is_of_others = _is_of_another_log(note, history.keys)
        checkpoint = _unverified(note) if is_of_others else history.parse_checkpoint(note)
    except InvalidNote:
        return "not-signed"
    path = [base64.b64decode(step) for step in proof.path]
    if not verify_inclusion(leaf, proof.index, checkpoint.size, checkpoint.root, path):
        return "not-in-tree"
    return "other-key" if is_of_others else "good"


def _history(verifier: Verifier, rotations: str) -> KeyHistory:
    """The keys of the log; the pinned one alone where the rotations do not name it. Raises `InvalidNote`."""
    steps = parse_transitions(rotations)
    history = KeyHistory.of(steps[0].old if steps else verifier, steps)
    return history if verifier in history.keys else KeyHistory((verifier,))


def _is_of_another_log(note: str, keys: Sequence[Verifier]) -> bool:
    """Whether a checkpoint of another name than the keys' has signatures in that name, and none by these keys."""
    text, lines, origin = split_note(note)[0], signature_lines(note), note.partition("\n")[0]
    if any(key.name == origin for key in keys):
        return False
    is_known = any(found == key.key_id or key.accepts(text, signed) for key in keys for _, found, signed in lines)
    return not is_known and any(name == origin for name, _, _ in lines)


def _unverified(note: str) -> Checkpoint:
    return read_checkpoint(split_note(note)[0], note.partition("\n")[0], note)


def _rows(type_name: str, shown: str, path: str, value: Any) -> Iterator[EventField]:
    """A row for each value. `shown` has the numbers of list items, `path` has `[]` for them."""
    name = path.rpartition(".")[2].removesuffix("[]")
    if isinstance(value, dict) and value.keys() == {"ar", "en"}:
        meaning = _meaning(type_name, path)
        for language in ("ar", "en"):
            yield EventField(f"{shown}.{language}", meaning, name, value[language])
    elif isinstance(value, dict) and value:
        for key, member in value.items():
            yield from _rows(type_name, _joined(shown, key), _joined(path, key), member)
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for number, item in enumerate(value):
            yield from _rows(type_name, f"{shown}[{number}]", f"{path}[]", item)
    else:
        yield EventField(shown, _meaning(type_name, path), name, value)


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _meaning(type_name: str, path: str) -> Bilingual | None:
    try:
        return meaning_of(type_name, path.removesuffix("[]"))
    except LookupError:
        return None


def pretty(raw: bytes) -> str:
    """The entry as indented JSON; as it is where it cannot be read."""
    try:
        return orjson.dumps(orjson.loads(raw), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return raw.decode("utf-8", "replace")
