"""The many ways in which one event is written down: key order, white space, escapes, attributes left to the command."""

from __future__ import annotations

import json
from random import Random

from tests.oracle.log import JsonObject

SEPARATORS = ((",", ":"), (", ", ": "), (" ,", " : "))
LEFT_TO_THE_COMMAND = ("specversion", "source", "datacontenttype")


def write(random: Random, event: JsonObject) -> bytes:
    """One line."""
    event = dict(event)
    if random.random() < 0.1:
        del event[random.choice(LEFT_TO_THE_COMMAND)]
    if random.random() < 0.5:
        event = shuffled(random, event)
    separators = random.choice(SEPARATORS)
    written = json.dumps(event, ensure_ascii=random.random() < 0.2, separators=separators).encode()
    return b" " + written + b"\t" if random.random() < 0.05 else written


def shuffled(random: Random, value: JsonObject) -> JsonObject:
    """The same object with its names in another order, at every depth of objects."""
    names = list(value)
    random.shuffle(names)
    return {name: shuffled(random, value[name]) if isinstance(value[name], dict) else value[name] for name in names}


def again(random: Random, event: JsonObject) -> JsonObject:
    """The same event as by the contract: only what is not compared differs."""
    same = dict(event)
    choice = random.randrange(5)
    if choice == 0:
        same["sequence"] = f"{random.randint(1, 10**6):020d}"
    elif choice == 1:
        same.pop("sequence", None)
    elif choice == 2:
        same["traceparent"] = f"00-{random.getrandbits(128):032x}-{random.getrandbits(64):016x}-01"
    elif choice == 3:
        same["tracestate"] = "yesser=1"
    else:
        same.setdefault("causationid", None)
    return same


def conflicting(random: Random, event: JsonObject) -> JsonObject:
    """Another event under the same id; still well-formed."""
    other = dict(event)
    choice = random.randrange(3)
    if choice == 0:
        other["time"] = "2015-06-06T06:06:06Z"
    elif choice == 1:
        other["correlationid"] = f"other-{random.randrange(10**6)}"
    else:
        other["time"] = str(event["time"]).replace("T", "t")
    return other
