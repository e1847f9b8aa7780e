"""Starts a witness as an agency runs it: its own process, on a free port."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.log.signed_note import Verifier
from infra.witnesses.cosignature import WitnessKey

KILLED_BEFORE_ANSWER = """
import os, signal
from consumers.proof.witness import witness
def add(self, body, time_s, real=witness.Witness.add_checkpoint):
    answer = real(self, body, time_s)
    os.kill(os.getpid(), signal.SIGKILL)
witness.Witness.add_checkpoint = add
"""
"""The checkpoint is on disk, the answer is not on the way."""


@dataclass(frozen=True)
class Running:
    """A witness that answers."""

    process: subprocess.Popen[str]
    address: str


@contextmanager
def running(
    folder: Path,
    key: WitnessKey,
    log: Verifier,
    *,
    first_run: bool = False,
    before: str = "",
    also: Sequence[Verifier] = (),
) -> Iterator[Running]:
    """A witness with its key and state in the folder; `before` runs in its process first. `also`: further keys of the
    log."""
    folder.mkdir(exist_ok=True)
    file = folder / "witness.skey"
    if not file.exists():
        file.write_text(key.skey + "\n")
        file.chmod(0o600)
    arguments = ["witness", "run", "--key", str(file), "--vkey", log.vkey, "--port", "0", "--lang", "en"]
    arguments += ["--first-run"] if first_run else []
    arguments += [argument for key_of_log in also for argument in ("--vkey", key_of_log.vkey)]
    program = f"{before}\nfrom infra.cli import main\nmain({arguments!r})"
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    assert process.stderr is not None
    try:
        said = process.stderr.readline()
        found = re.search(r"http://[0-9.:]+/", said)
        assert found is not None, said + process.stderr.read()
        yield Running(process, found[0])
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        process.stderr.close()
