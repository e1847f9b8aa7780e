"""Reads a rule from its YAML file, and lists every fault of a file or a folder.

Flows in: the bytes of a file. Flows out: the `Rule`, or its faults, each with a JSON pointer and what to do.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Final

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from consumers.programme.campaigns.rules.rule import MOMENTS, NOT_AIRED, Kind, Moment, Owner, Rule, RuleSet, Urgency
from events.errors import Halt
from events.faults.model import L, Model
from events.values.bilingual import Bilingual, joined
from events.values.bounds import CHANNELS_MAX
from events.values.data import Data
from events.values.fields import TEXT_LENGTH_MAX, Channel
from events.values.personal_data import holds_personal_data

FILE_BYTES_MAX: Final = 65_536
NAME_PATTERN: Final = r"^[a-z][a-z0-9-]{1,39}$"
_ID_MAX: Final = 64
_INDEX_MAX: Final = len(".i") + 12
"""A campaign's id holds at most 64 characters: the rule's name, the index of its cause, a suffix."""
_ISOLATION: Final = 2
"""Characters around a value that is written in the other direction."""


class InvalidRules(Halt):
    """The campaign rules cannot be used: correct what is listed, then run `yesser campaigns rules check`."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        lines = "\n".join(f"  {fault}" for fault in faults)
        super().__init__(f"{self.__doc__}\n{lines}")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a rule's file. `pointer` is a JSON pointer, "" for the whole file."""

    file: str
    pointer: str
    detail: Bilingual

    def __str__(self) -> str:
        return f"{self.file}{' ' + self.pointer if self.pointer else ''}: {self.detail.en}"


class _Document(Model):
    """A rule's file."""

    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    version: Annotated[int, Field(ge=1, le=1_000_000)]
    when: str
    kind: Kind
    owner: Owner
    channels: Annotated[list[Channel], Field(min_length=1, max_length=CHANNELS_MAX)]
    due_working_days: Annotated[int, Field(ge=1, le=250)]
    after_working_days: Annotated[int, Field(ge=1, le=250)] | None = None
    urgency: Urgency = "normal"
    brief: L
    reason: L


_FORM: Final = TypeAdapter(_Document)
"""With pydantic's own errors: a rule's sentences are made of them."""


class _Loader(yaml.SafeLoader):
    """Refuses a name that is given twice, which YAML's own loader takes without a word, and aliases, by which a small
    file can become one of gigabytes."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="write the value again instead of an alias (*)", problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except yaml.YAMLError:
            raise
        except Exception as error:  # YAML's own loader raises any kind where a value does not fit its form or tag
            raise yaml.MarkedYAMLError(problem="a value cannot be read", problem_mark=node.start_mark) from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        names = Counter(key.value for key in keys)
        for key in keys:
            if names[key.value] > 1:
                raise yaml.MarkedYAMLError(problem=f"{key.value!r} is given twice", problem_mark=key.start_mark)
        return super().construct_mapping(node, deep)


def read_folder(folder: Path, *, own: bool) -> RuleSet:
    """The rules of a folder, by name. Raises `InvalidRules` with every fault of every file."""
    if not folder.is_dir():
        raise InvalidRules([Fault(str(folder), "", Bilingual("لا يوجد مجلد بهذا الاسم", "there is no such folder"))])
    files = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml"))
    if not files:
        sentence = Bilingual("لا قاعدة فيه: أضيفوا ملف .yaml", "it has no rule: add a .yaml file")
        raise InvalidRules([Fault(str(folder), "", sentence)])
    return rule_set(files, own=own)


def rule_set(files: Iterable[Path], *, own: bool) -> RuleSet:
    """The rules of these files, by name. Raises `InvalidRules`."""
    rules: list[Rule] = []
    faults: list[Fault] = []
    for path in files:
        try:
            rules.append(read_rule(path))
        except InvalidRules as error:
            faults += error.faults
    names = Counter(rule.name for rule in rules)
    taken = Bilingual("الاسم {} لقاعدة أخرى: اختاروا غيره", "another rule is named {}")
    faults += [Fault(rule.file, "/name", taken.format(rule.name)) for rule in rules if names[rule.name] > 1]
    if faults:
        raise InvalidRules(faults)
    return RuleSet(tuple(sorted(rules, key=lambda rule: rule.name)), own)


def read_rule(path: Path) -> Rule:
    """The rule of one file. Raises `InvalidRules`."""
    file = path.name
    try:
        raw = path.read_bytes()
    except OSError as error:
        sentence = Bilingual("تعذرت قراءته: {}", "it cannot be read: {}").format(error)
        raise InvalidRules([Fault(file, "", sentence)]) from error
    if path.suffix != ".yaml":
        raise InvalidRules([Fault(file, "", Bilingual("سمّوه بالامتداد .yaml", "give it the ending .yaml"))])
    return parse_rule(file, raw)


def parse_rule(file: str, raw: bytes) -> Rule:
    """The rule in a file's bytes. Raises `InvalidRules`."""
    document = _parsed(file, raw)
    faults = [*_form_faults(file, document), *_meaning_faults(file, document)]
    if faults:
        raise InvalidRules(sorted(set(faults), key=lambda fault: fault.pointer))
    read = _FORM.validate_python(document)
    content = read.model_dump(exclude={"version"})
    members = read.model_dump() | {
        "channels": tuple(read.channels),
        "after_working_days": read.after_working_days or 0,
        "sha256": sha256(json.dumps(content, sort_keys=True).encode()).hexdigest(),
    }
    return Rule(**members, file=file)


def _parsed(file: str, raw: bytes) -> Data:
    if len(raw) > FILE_BYTES_MAX:
        raise InvalidRules([Fault(file, "", Bilingual("أكبر من 64 كيبيبايت", "it is larger than 64 KiB"))])
    try:
        document = yaml.load(raw, _Loader)  # noqa: S506 - a SafeLoader
    except Exception as error:
        where = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or type(error).__name__
        detail = Bilingual("ليس YAML صحيحاً: {}", "it is not valid YAML: {}").format(problem)
        if where is not None:
            detail = Bilingual("ليس YAML صحيحاً، السطر {}: {}", "it is not valid YAML, line {}: {}").format(
                where.line + 1, problem
            )
        raise InvalidRules([Fault(file, "", detail)]) from error
    if not isinstance(document, dict):
        sentence = Bilingual("اكتبوا القاعدة أسماءً وقيماً", "write the rule as names with values")
        raise InvalidRules([Fault(file, "", sentence)])
    return document


def _form_faults(file: str, document: Data) -> Iterator[Fault]:
    """Each field by itself."""
    try:
        _FORM.validate_python(document)
    except ValidationError as error:
        for fault in error.errors():
            pointer = "".join(f"/{step}" for step in fault["loc"])
            yield Fault(file, pointer, _form_words(fault))


def _form_words(fault: Mapping[str, Any]) -> Bilingual:
    match fault["type"]:
        case "missing":
            return Bilingual("ناقص: أضيفوه", "it is missing: add it")
        case "extra_forbidden":
            known = joined(_Document.model_fields)
            return Bilingual("حقل غير معروف؛ الحقول: {}", "unknown field; the fields are {}").format(known)
        case "literal_error":
            expected = fault["ctx"]["expected"].replace("'", "")
            return Bilingual("القيم: {}", "write {}").format(expected)
    return Bilingual("قيمة غير صالحة: {}", "invalid value: {}").format(fault["msg"])


def _meaning_faults(file: str, document: Data) -> Iterator[Fault]:
    """What the fields say together, as far as each can be read."""
    when = document.get("when")
    moment = MOMENTS.get(when) if isinstance(when, str) else None
    if isinstance(when, str) and moment is None:
        yield Fault(file, "/when", _when_words(when))
    yield from _channel_faults(file, document.get("channels"))
    if moment is not None:
        for pointer, detail in _moment_faults(document, moment):
            yield Fault(file, pointer, detail)
    for name in ("brief", "reason"):
        texts = document.get(name)
        for language, text in texts.items() if isinstance(texts, dict) else ():
            if isinstance(text, str):
                for detail in _text_faults(text, moment):
                    yield Fault(file, f"/{name}/{language}", detail)
    if isinstance(document.get("name"), str) and holds_personal_data(document["name"]):
        yield Fault(file, "/name", _PERSONAL)


_PERSONAL: Final = Bilingual("فيه ما يشبه رقم هوية وطنية: احذفوه", "it holds what looks like a national id: remove it")


def _when_words(when: str) -> Bilingual:
    known = joined(MOMENTS)
    if when.startswith(("campaign.", "awareness.campaign-")):
        return Bilingual(
            "قاعدة عن حملة تطلق نفسها بلا نهاية؛ الممكن: {}",
            "a rule about campaigns would trigger itself again and again; use one of {}",
        ).format(known)
    return Bilingual("لا قاعدة عن {}؛ الممكن: {}", "no rule can be about {}; use one of {}").format(when, known)


def _channel_faults(file: str, channels: object) -> Iterator[Fault]:
    if isinstance(channels, list) and len({str(channel) for channel in channels}) < len(channels):
        yield Fault(file, "/channels", Bilingual("قناة مذكورة مرتين", "a channel is given twice: name each once"))


def _moment_faults(document: Data, moment: Moment) -> Iterator[tuple[str, Bilingual]]:
    """What this moment does not allow, by the pointer."""
    when, owner, name = document["when"], document.get("owner"), document.get("name")
    if owner not in moment.owners:
        yield "/owner", Bilingual("القيم مع {}: {}", "with {} write {}").format(when, joined(moment.owners))
    if document.get("kind") == "specific" and not moment.specific:
        yield "/kind", Bilingual("{} ليس عن خدمة: اكتبوا general", "{} is about no service: write general").format(when)
    days = document.get("after_working_days")
    if when == NOT_AIRED and days is None:
        missing = Bilingual("ناقص: أيام العمل بعد الإطلاق", "it is missing: give the working days after the launch")
        yield "/after_working_days", missing
    if when == NOT_AIRED and document.get("kind") == "general":
        yield "/kind", Bilingual("اكتبوا specific: عن خدمة واحدة", "write specific: it is about one service")
    if when != NOT_AIRED and days is not None:
        yield "/after_working_days", Bilingual("مع {} فقط: احذفوه", "only with {}: remove it").format(NOT_AIRED)
    if isinstance(name, str) and len(name) + _INDEX_MAX + moment.suffix_max > _ID_MAX:
        most = _ID_MAX - _INDEX_MAX - moment.suffix_max
        yield "/name", Bilingual("{} حرفاً على الأكثر مع {}", "use at most {} characters with {}").format(most, when)


def _text_faults(text: str, moment: Moment | None) -> Iterator[Bilingual]:
    """A text's placeholders, its longest form, and what it may not hold."""
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        yield Bilingual("أقواس غير صحيحة: {}", "a brace without its other half: {}").format(error)
        return
    if holds_personal_data(text):
        yield _PERSONAL
    names = [
        name if not spec and not conversion else f"{name}…" for _, name, spec, conversion in parts if name is not None
    ]
    if moment is not None:
        known = joined(f"{{{name}}}" for name in moment.placeholders)
        unknown = Bilingual("{} غير معروف؛ المتاح: {}", "unknown placeholder {}; there are {}")
        for name in sorted({name for name in names if name not in moment.placeholders}):
            yield unknown.format(f"{{{name}}}", known)
        length = sum(len(literal) for literal, *_ in parts)
        length += sum(moment.placeholders.get(name, 0) + _ISOLATION for name in names)
        if len(text) <= TEXT_LENGTH_MAX < length:
            yield Bilingual(
                "قد يبلغ {} حرفاً، والحد {}: اختصروه",
                "it may reach {} characters of at most {}: shorten it, or use fewer placeholders",
            ).format(length, TEXT_LENGTH_MAX)
    if _touches(parts):
        yield Bilingual(
            "رقم أو موضع ملاصق لموضع: افصلوا بينهما، فقد يكوّنان رقم هوية",
            "a digit or a placeholder touches a placeholder: put a space between, or they may form a national id",
        )


def _touches(parts: Sequence[tuple[str, str | None, str | None, str | None]]) -> bool:
    """Whether a digit or another placeholder is directly before or after a placeholder."""
    before_is_place = False
    for literal, name, _, _ in parts:
        if before_is_place and ((not literal and name is not None) or literal[:1].isdecimal()):
            return True
        if name is not None and literal[-1:].isdecimal():
            return True
        before_is_place = name is not None
    return False
