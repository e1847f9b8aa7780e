"""A rule's file: read strictly, and refused with every fault listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from consumers.programme.campaigns.rules.rule_file import InvalidRules, parse_rule, read_folder
from tests.every import every

VALID = """
name: opened
version: 3
when: service.launched
kind: specific
owner: service-owner
channels: [tv, print]
due_working_days: 5
brief: {ar: "خدمة «{name}» على {address}", en: "“{name}” at {address} since {launched_on} ({launched_on_hijri} AH)"}
reason: {ar: "القيد {cause}", en: "Entry {cause}"}
"""


def faults(text: str) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRules) as error:
        parse_rule("opened.yaml", text.encode())
    assert all(fault.detail.ar and fault.detail.en and fault.file == "opened.yaml" for fault in error.value.faults)
    return [(fault.pointer, fault.detail.en) for fault in error.value.faults]


def test_comments_layout_and_a_version_alone_do_not_change_what_a_rule_says() -> None:
    rule = parse_rule("opened.yaml", VALID.encode())
    assert (rule.name, rule.version, rule.urgency, rule.after_working_days) == ("opened", 3, "normal", 0)
    assert rule.channels == ("tv", "print")
    assert rule.placeholders == {"name", "address", "launched_on", "launched_on_hijri", "cause"}
    same = parse_rule("opened.yaml", ("# why\n" + VALID.replace("version: 3", "version:   4")).encode())
    assert same.sha256 == rule.sha256
    assert parse_rule("opened.yaml", VALID.replace("[tv, print]", "[tv]").encode()).sha256 != rule.sha256


@every(
    ("before", "after", "pointer", "words"),
    [
        ("service.launched", "service.opened", "/when", "no rule can be about service.opened; use one of service.l"),
        ("service.launched", "campaign.triggered", "/when", "would trigger itself again"),
        ("service.launched", "awareness.campaign-aired", "/when", "would trigger itself again"),
        (', en: "Entry {cause}"', "", "/reason/en", "it is missing"),
        ('ar: "القيد {cause}", ', "", "/reason/ar", "it is missing"),
        ("Entry {cause}", "{figure}", "/reason/en", "unknown placeholder {figure}; there are {cause}"),
        ("Entry {cause}", "{name.__class__}", "/reason/en", "unknown placeholder"),
        ("Entry {cause}", "{name!r}", "/reason/en", "unknown placeholder"),
        ("Entry {cause}", "Entry {cause", "/reason/en", "a brace without its other half"),
        ("Entry {cause}", "{name} {name} {name}", "/reason/en", "it may reach"),
        ("Entry {cause}", "x" * 2001, "/reason/en", "invalid value"),
        ("Entry {cause}", "10{cause}", "/reason/en", "touches a placeholder"),
        ("Entry {cause}", "{cause}{name}", "/reason/en", "touches a placeholder"),
        ("Entry {cause}", "of 1000000008", "/reason/en", "looks like a national id"),
        ("name: opened", "name: Opened", "/name", "invalid value"),
        ("name: opened", "name: " + "o" * 41, "/name", "invalid value"),
        ("version: 3", "version: '3'", "/version", "invalid value"),
        ("version: 3", "version: 0", "/version", "invalid value"),
        ("kind: specific", "kind: both", "/kind", "write specific or general"),
        ("owner: service-owner", "owner: announcer", "/owner", "with service.launched write service-owner, office"),
        ("[tv, print]", "[tv, tv]", "/channels", "given twice"),
        ("[tv, print]", "[web]", "/channels/0", "write tv, radio or print"),
        ("[tv, print]", "[]", "/channels", "invalid value"),
        ("due_working_days: 5", "due_working_days: 5\nafter_working_days: 3", "/after_working_days", "remove it"),
        ("version: 3", "version: 3\nhurry: yes", "/hurry", "unknown field; the fields are name"),
        ("version: 3", "version: 3\nversion: 4", "", "'version' is given twice"),
        ("name: opened", "name: [", "", "it is not valid YAML, line"),
        ("version: 3", 'version: !!int ""', "", "it is not valid YAML, line 3: a value cannot be read"),
        ("version: 3", "version: 2026-13-45", "", "it is not valid YAML, line 3: a value cannot be read"),
        ("version: 3", "version: &three 3\nafter_working_days: *three", "", "line 4: write the value again"),
    ],
)
def test_a_fault_has_its_pointer_and_says_what_to_do(before: str, after: str, pointer: str, words: str) -> None:
    assert before in VALID
    found = faults(VALID.replace(before, after, 1))
    assert [place for place, _ in found] == [pointer]
    assert words in found[0][1]


def test_every_fault_is_listed() -> None:
    several = VALID.replace("service.launched", "nothing").replace("version: 3", "version: x").replace("{cause}", "{")
    figure = VALID.replace("service.launched", "quota-met").replace("name: opened", "name: a-name-of-23-characters-x")
    not_aired = VALID.replace("service.launched", "not-aired").replace("kind: specific", "kind: general")
    assert [pointer for pointer, _ in faults(several)] == ["/reason/ar", "/reason/en", "/version", "/when"]
    assert {pointer for pointer, _ in faults(figure)} == {"/brief/ar", "/brief/en", "/kind", "/name", "/owner"}
    assert [pointer for pointer, _ in faults(not_aired)] == ["/after_working_days", "/kind"]


@every(
    "raw", [b"", b"- a\n- b", b"text", b"\xff\xfe\x00", b"a: " + b"[" * 1_500, b"x" * 70_000, b"&a [*a]", b"? [a]\n: b"]
)
def test_what_is_no_rule_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidRules):
        parse_rule("x.yaml", raw)


@every(("first", "next_one"), [("x: &a0 [tv]", "x{0}: &a{0} [{1}]"), ("x: &a0 {{a: 1}}", "x{0}: &a{0} {{<<: [{1}]}}")])
def test_a_small_file_that_aliases_make_endless_costs_nothing(first: str, next_one: str) -> None:
    levels = [next_one.format(level, ", ".join([f"*a{level - 1}"] * 9)) for level in range(1, 20)]
    with pytest.raises(InvalidRules):
        parse_rule("x.yaml", "\n".join([first.format(), *levels, "channels: [*a19, *a19]"]).encode())


def test_a_folder_lists_the_faults_of_all_its_files_and_needs_one(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(InvalidRules):
            read_folder(folder, own=True)
    for name in ("a.yaml", "b.yaml", "d.yml"):
        (tmp_path / name).write_text(VALID, encoding="utf-8")
    (tmp_path / "c.yaml").write_text(VALID.replace("version: 3", ""), encoding="utf-8")
    with pytest.raises(InvalidRules) as error:
        read_folder(tmp_path, own=True)
    found = [(fault.file, fault.pointer) for fault in error.value.faults]
    assert found == [("c.yaml", "/version"), ("d.yml", ""), ("a.yaml", "/name"), ("b.yaml", "/name")]
    assert "a.yaml /name: another rule is named opened" in str(error.value)
