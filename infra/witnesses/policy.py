"""The policy of who must have cosigned a checkpoint (C2SP tlog-policy), read from a file such as:

    witness riyadh court.example/witness+ee92493c+BF…  https://witness.court.example/
    witness jeddah bank.example/witness+1d00f5e3+BI…   https://witness.bank.example/
    group enough 1 riyadh jeddah
    quorum enough

The log asks the witnesses that have an address; a verifier needs none. Lines `log` are checked and not used: a verifier
gives the log's key by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from events.errors import Tampered, YesserError
from infra.log.signed_note import Checkpoint, InvalidKey, parse_vkey
from infra.witnesses.cosignature import Cosigner, cosigners_of, parse_cosigner

NONE: Final = "none"
_CONTROL: Final = frozenset(map(chr, range(32))) - {"\t", "\n"} | {"\x7f"}


class InvalidPolicy(YesserError):
    """The policy is not a C2SP tlog-policy; the message names its line."""


class NotWitnessed(Tampered):
    """Too few witnesses cosigned the checkpoint: it may be a second history, shown to this reader alone."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness of a policy. `name` is used in the policy alone; `address` is its submission prefix."""

    name: str
    cosigner: Cosigner
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Witnesses and groups, of which at least `least` must have cosigned."""

    least: int
    members: tuple[str, ...]


@dataclass(slots=True)
class Policy:
    """Witnesses and groups by name, and the one that must be satisfied."""

    witnesses: dict[str, Witness] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    quorum: str = NONE

    @property
    def cosigners(self) -> list[Cosigner]:
        return [witness.cosigner for witness in self.witnesses.values()]

    def is_satisfied_by(self, cosigned: Collection[Cosigner]) -> bool:
        """Whether cosignatures of these witnesses are enough."""
        return self.quorum == NONE or self._has(self.quorum, cosigned)

    def require(self, checkpoint: Checkpoint) -> None:
        """Raises `NotWitnessed` with the witnesses that are missing, and `InvalidNote` for a wrong cosignature."""
        cosigned = cosigners_of(checkpoint.note, self.cosigners)
        if self.is_satisfied_by(cosigned):
            return
        missing = [name for name in self._names(self.quorum) if self.witnesses[name].cosigner not in cosigned]
        raise NotWitnessed(
            f"the checkpoint of size {checkpoint.size} has too few cosignatures for the quorum {self.quorum} (missing: "
            f"{', '.join(missing)}): ask these witnesses and the log's operator before you rely on it"
        )

    def _has(self, name: str, cosigned: Collection[Cosigner]) -> bool:
        if name in self.witnesses:
            return self.witnesses[name].cosigner in cosigned
        group = self.groups[name]
        return sum(self._has(member, cosigned) for member in group.members) >= group.least

    def _names(self, name: str) -> Iterator[str]:
        """The witnesses below a name."""
        if name in self.witnesses:
            yield name
        else:
            for member in self.groups[name].members:
                yield from self._names(member)


def read_policy(path: Path) -> Policy:
    """The policy in a file. Raises `InvalidPolicy`."""
    # Other bytes than ASCII are opaque: they are kept as they are.
    return parse_policy(path.read_text(encoding="utf-8", errors="surrogateescape"), str(path))


def parse_policy(text: str, place: str = "the policy") -> Policy:
    """Raises `InvalidPolicy`, which names the line."""
    policy, quorums, members = Policy(), 0, set[str]()
    for number, line in enumerate(text.split("\n"), 1):
        if _CONTROL & set(line):
            raise InvalidPolicy(f"{place}, line {number}: it has a control character")
        words = [word for word in line.replace("\t", " ").split(" ") if word]
        if not words or words[0].startswith("#"):
            continue
        try:
            _add(policy, words, members)
        except (ValueError, InvalidKey) as error:
            raise InvalidPolicy(f"{place}, line {number}: {error}") from None
        quorums += words[0] == "quorum"
    if quorums != 1:
        raise InvalidPolicy(f"{place} has {quorums} lines `quorum`; it must have one")
    return policy


def _add(policy: Policy, words: list[str], members: set[str]) -> None:
    """Add a line. `members` are the names that belong to a group already."""
    match words:
        case ["log", vkey] | ["log", vkey, _]:
            parse_vkey(vkey)
        case ["witness", name, vkey, *address] if len(address) < 2:
            cosigner = parse_cosigner(vkey)
            if any(known.public == cosigner.public for known in policy.cosigners):
                raise ValueError(f"the key of {name} is that of another witness")
            policy.witnesses[_new(policy, name)] = Witness(name, cosigner, *address)
        case ["group", name, least, *names] if names:
            if repeated := [member for member in names if member in members or names.count(member) > 1]:
                raise ValueError(f"{repeated[0]} is a member of a group already")
            for member in names:
                _require_known(policy, member)
            policy.groups[_new(policy, name)] = Group(_least(least, len(names)), tuple(names))
            members.update(names)
        case ["quorum", name]:
            if name != NONE:
                _require_known(policy, name)
            policy.quorum = name
        case _:
            raise ValueError(f"{words[0]} is not a line `log`, `witness`, `group` or `quorum` with its words")


def _new(policy: Policy, name: str) -> str:
    if name == NONE or name in policy.witnesses or name in policy.groups:
        raise ValueError(f"the name {name} is taken")
    return name


def _require_known(policy: Policy, name: str) -> None:
    if name not in policy.witnesses and name not in policy.groups:
        raise ValueError(f"no line before this one names {name}")


def _least(word: str, count: int) -> int:
    if word in ("any", "all"):
        return 1 if word == "any" else count
    if not (word.isascii() and word.isdecimal() and 1 <= int(word) <= count):
        raise ValueError(f"{word} is not `any`, `all` or a number from 1 to {count}")
    return int(word)
