"""`yesser witness run`: cosigns the log's checkpoints as an organisation apart from the log's operator."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from consumers.proof.witness.witness import Witness, WitnessState
from events.errors import YesserError
from events.values.bilingual import Bilingual
from infra.command_line.language import print_localized
from infra.log.signed_note import Verifier, parse_vkey
from infra.private_keys.private_file import read_private
from infra.witnesses.cosignature import WitnessKey, cosigner_of, parse_witness_key


@click.group()
def witness() -> None:
    """Run a witness of the log (docs/witnesses.md)."""


@witness.command("run")
@click.option("--key", "key_file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--vkey", "vkeys", required=True, multiple=True, help="The log's verifier key; again for one after it.")
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of the checkpoint that was cosigned last; default: beside the key, with the suffix .state.",
)
@click.option("--first-run", is_flag=True, help="Begin without a checkpoint: this witness never cosigned the log.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to answer on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8_100, show_default=True, help="0: any free one.")
def run_command(
    key_file: Path, vkeys: tuple[str, ...], state: Path | None, first_run: bool, host: str, port: int
) -> None:
    """Answer POST /add-checkpoint (C2SP tlog-witness) until it is stopped.

    A checkpoint is cosigned if the log's key signed it and it continues the one before, which is on disk first. Make
    --key with `yesser keys witness new`. A missing state file is an error, except with --first-run.
    """
    from consumers.proof.witness.server import until_stopped  # of the extra `witness`
    from infra.process.http_server import listening

    key = parse_witness_key(read_private(key_file) or "")
    log_keys = _log_keys(vkeys)
    witness_state = WitnessState(state or key_file.with_name(f"{key_file.name}.state"), first_run=first_run)
    try:
        found = Witness(key, log_keys, witness_state)
        with listening(host, port, "--port") as listener:
            name, bound = log_keys[0].name, listener.getsockname()[1]
            _announce(key, name, found, f"http://{host}:{bound}/")
            asyncio.run(until_stopped(found, listener))
    finally:
        witness_state.close()


def _log_keys(vkeys: tuple[str, ...]) -> list[Verifier]:
    keys = [parse_vkey(vkey) for vkey in vkeys]
    if len({key.name for key in keys}) > 1:
        raise YesserError("--vkey: the keys are of different logs; run a witness for each.")
    return keys


def _announce(key: WitnessKey, log: str, found: Witness, address: str) -> None:
    size = 0 if found.last is None else found.last.size
    sentence = Bilingual(
        "الشاهد {name} على {address}، وآخر ما وقّعه {size:,} من قيود {log}.\n{vkey}",
        "The witness {name} answers on {address}. It last cosigned {size:,} entries of {log}.\n{vkey}",
    ).format(name=key.name, address=address, size=size, log=log, vkey=cosigner_of(key).vkey)
    print_localized(sentence, err=True)
