"""`yesser ledger verify-statement`: needs the folder of a statement, and no service."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from consumers.explain.ledger.statement_proof import StatementProof, unpacked, verify_statement
from consumers.proof.audit.pinned_checkpoint import KeptCheckpoint, state_folder
from consumers.proof.commands.audit_options import audit_source, policy_option, token_file_option, verifier_of
from events.values.bilingual import Bilingual
from infra.command_line.output import json_option, print_confirmation
from infra.witnesses.policy import read_policy

_PROOF = click.Path(exists=True, path_type=Path)


@click.command("verify-statement")
@click.argument("proof", type=_PROOF)
@click.option("--vkey", help="The log's verifier key, from its operator; default: the one beside the log's key.")
@click.option("--against", metavar="URL-OR-FOLDER", help="A log: no other entry of the partnership exists in it.")
@token_file_option
@policy_option
@json_option
def verify_statement_command(
    proof: Path, vkey: str | None, against: str | None, token_file: Path | None, policy: Path | None, as_json: bool
) -> None:
    """Verify the PROOF of a statement, a folder of `prove-statement` or the ZIP of its page: signature, entries, and
    every figure from the entries.

    Without --against an entry may have been left out; with it, the log is read up to the closing entry. Exit code 76:
    the statement does not follow from the entries, something was changed, or its checkpoint has fewer cosignatures than
    --policy asks for.
    """
    source = None if against is None else audit_source(against, vkey, token_file, policy=policy)
    verifier, witnesses = verifier_of(None, vkey), None if policy is None else read_policy(policy)
    with unpacked(proof) as folder:
        found = asyncio.run(verify_statement(folder, verifier, source, witnesses, given=proof))
    KeptCheckpoint(state_folder(), verifier).require_same(found.size, bytes.fromhex(found.root))
    _print(found, as_json)


def _print(found: StatementProof, as_json: bool) -> None:
    own = f"{found.partnership_id} {found.period}"
    if found.is_complete:
        others = Bilingual("ولا قيد غيرها للشراكة في السجل", "the log has no other entry of the partnership")
    else:
        others = Bilingual("ولم يُتحقق من خلو السجل من غيرها", "whether the log has others was not checked (--against)")
    if found.is_cosigned:
        cosigned = Bilingual("وقّع نقطة التحقق شهود يكفون السياسة", "enough witnesses cosigned the checkpoint")
    else:
        cosigned = Bilingual("لم تُفحص توقيعات الشهود (--policy)", "cosignatures were not checked (--policy)")
    right = Bilingual(
        "الكشف {} سليم: يتبع من {:,} من القيود، {}؛ {}.",
        "Statement {} is right: it follows from {:,} entries; {}; {}.",
    )
    print_confirmation(found, as_json, right.format(own, found.entries_count, others, cosigned))
