"""A policy is read as C2SP tlog-policy says, and names who is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from events.errors import Tampered
from infra.log.signed_note import LogKey, parse_checkpoint
from infra.witnesses.cosignature import cosign, cosigner_of
from infra.witnesses.policy import InvalidPolicy, NotWitnessed, Policy, parse_policy, read_policy
from tests.every import every

LOG = LogKey("log.example/0", bytes(32))
KEYS = {name: LogKey(f"{name}.example", bytes([number]) * 32) for number, name in enumerate("abcdef", 1)}
COSIGNERS = {name: cosigner_of(key) for name, key in KEYS.items()}
WITNESSES = "".join(f"witness {name} {cosigner.vkey}\n" for name, cosigner in COSIGNERS.items())
ONE = f"witness a {COSIGNERS['a'].vkey}\n"


def satisfied(policy: Policy, names: str) -> bool:
    return policy.is_satisfied_by([COSIGNERS[name] for name in names])


def test_a_quorum_is_none_one_witness_k_of_n_or_groups_of_groups() -> None:
    assert satisfied(parse_policy("quorum none\n"), "")
    assert [satisfied(parse_policy(f"{ONE}quorum a\n"), name) for name in "ab"] == [True, False]
    two = parse_policy(f"{WITNESSES}group g 2 a b c\nquorum g\n")
    assert [satisfied(two, names) for names in ("", "a", "ad", "ab", "abc")] == [False, False, False, True, True]
    text = f"# two houses\n\n  {WITNESSES}group x 2 a b c\ngroup y\tany d e f\ngroup both all x y\nquorum both\n"
    assert [satisfied(parse_policy(text), names) for names in ("abf", "abc", "adef")] == [True, False, False]


def test_addresses_logs_and_any_bytes_in_comments_may_stand_in_it(tmp_path: Path) -> None:
    log = f"log {LOG.verifier.vkey} https://log.example/\n"
    policy = parse_policy(f"{log}witness a {COSIGNERS['a'].vkey} https://a.example/w/\nquorum a")
    assert policy.witnesses["a"].address == "https://a.example/w/"
    file = tmp_path / "policy"
    file.write_bytes(b"# \xff\xfe \xd8\xb4\xd8\xa7\xd9\x87\xd8\xaf\nquorum none\n")
    assert read_policy(file).quorum == "none"


@every(
    ("text", "says"),
    [
        ("", "0 lines `quorum`"),
        ("quorum none\nquorum none\n", "2 lines `quorum`"),
        ("quorum a\n", "line 1: no line before"),
        (f"group g 1 a\n{ONE}quorum g\n", "line 1: no line before"),
        (f"{ONE}{ONE}quorum a\n", "line 2: the key of a is that of another"),
        (f"{WITNESSES}group a 1 b\nquorum a\n", "line 7: the name a is taken"),
        (f"{WITNESSES}group g 3 a b\nquorum g\n", "line 7: 3 is not"),
        (f"{WITNESSES}group g 0 a b\nquorum g\n", "line 7: 0 is not"),
        (f"{WITNESSES}group g 1\nquorum g\n", "line 7: group is not a line"),
        (f"{WITNESSES}group g 1 a a\nquorum g\n", "line 7: a is a member"),
        (f"{WITNESSES}group g 1 a\ngroup h 1 a\nquorum h\n", "line 8: a is a member"),
        (f"{WITNESSES}group none 1 a\nquorum none\n", "line 7: the name none is taken"),
        (f"{WITNESSES}group g 1 none\nquorum g\n", "line 7: no line before"),
        (f"witness a {LOG.verifier.vkey}\nquorum a\n", "line 1: the key of log.example/0 is of type 0x01"),
        (f"log {COSIGNERS['a'].vkey}\nquorum none\n", "line 1: the key of a.example is of type 0x04"),
        ("witness a\nquorum none\n", "line 1: witness is not a line"),
        ("trust everyone\nquorum none\n", "line 1: trust is not a line"),
        ("quorum none\r\n", "line 1: it has a control character"),
    ],
)
def test_a_policy_that_is_wrong_names_its_line(text: str, says: str) -> None:
    with pytest.raises(InvalidPolicy, match=says):
        parse_policy(text)


def test_too_few_cosignatures_are_tampering_and_the_missing_are_named() -> None:
    policy = parse_policy(f"{WITNESSES}group g 2 a b c\nquorum g\n")
    note = LOG.sign_checkpoint(7, bytes(32))
    text = note.rpartition("\n\n")[0] + "\n"
    note += cosign(KEYS["a"], text, 5) + cosign(KEYS["d"], text, 5)
    with pytest.raises(NotWitnessed, match=r"size 7 .* \(missing: b, c\)") as caught:
        policy.require(parse_checkpoint(note, LOG.verifier))
    assert isinstance(caught.value, Tampered)
    policy.require(parse_checkpoint(note + cosign(KEYS["c"], text, 9), LOG.verifier))
