"""`yesser recover`: after a restore from a backup, recovers the entries written since."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click
from aiokafka.errors import KafkaError

from consumers.registrar.recovery.recover import Recovered, recover
from consumers.registrar.recovery.source import Source, topic_source
from events.errors import Retry
from infra.command_line.language import localized
from infra.command_line.output import json_option, print_result
from infra.postgres.connection import TRANSIENT_ERRORS
from infra.settings import Settings


@click.command("recover")
@click.option(
    "--from",
    "mirror",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Take the entries from a mirror folder instead of the log's topic.",
)
@click.option(
    "--accept-unsigned",
    is_flag=True,
    help="Also take entries after the last signed checkpoint that no agency's topic confirms.",
)
@json_option
def recover_command(mirror: Path | None, accept_unsigned: bool, as_json: bool) -> None:
    """Recover missing entries byte for byte, and verify them against the last signed checkpoint.

    Records that the agencies' topics no longer hold are listed and do not stop the recovery. To resume a recovery that
    was interrupted, run it again.
    """
    settings = Settings().acting_as("registrar")
    source: Source = topic_source(settings) if mirror is None else _mirror_source(mirror)
    try:
        result = asyncio.run(recover(settings, source, _show_progress, unsigned=accept_unsigned))
    except (KafkaError, *TRANSIENT_ERRORS) as error:
        raise Retry(
            f"Kafka or PostgreSQL does not answer ({error.__class__.__name__}: {error}). Recovered entries are kept: "
            "when both are ready (`yesser status`), run this again to resume."
        ) from error
    print_result(_document(result), as_json, lambda: click.echo(_words(result)))


def _show_progress(what: str, size: int) -> None:
    click.echo(f"{what}: {size}", err=True)


def _document(result: Recovered) -> dict[str, Any]:
    return {
        "size_before": result.size_before,
        "size": result.size,
        "root": result.root.hex(),
        "lacking": [
            {"topic": topic, "records": lacking.records, "duplicates": lacking.duplicates}
            for topic, lacking in sorted(result.lacking.items())
        ],
        "halted": [{"topic": topic, "reason": reason} for topic, reason in sorted(result.halted.items())],
    }


def _words(result: Recovered) -> str:
    size, back, root = result.size, result.size - result.size_before, result.root.hex()
    lines = [
        localized(
            f"في السجل {size:,} من القيود، أُعيد منها {back:,}؛ الجذر {root}.",
            f"The log has {size:,} entries ({back:,} were recovered); root {root}.",
            "\n",
        )
    ]
    for topic, lacking in sorted(result.lacking.items()):
        records, duplicates = lacking.records, lacking.duplicates
        lines.append(
            localized(
                f"سجلات لها قيود ولم تعد في {topic}: {records} (فُقد النص الأصلي للمرفوض منها)."
                f" سجلات بلا قيد لم تعد فيه: {duplicates} (مكررات لم تعد تُحسب).",
                f"{topic} no longer holds {records} records of these entries (the raw bytes of refused ones are lost)"
                f" and {duplicates} records without an entry (duplicates, which are no longer counted).",
                "\n",
            )
        )
    for topic, reason in sorted(result.halted.items()):
        lines.append(localized(f"توقفت قراءة {topic}: {reason}", f"{topic} is halted: {reason}", "\n"))
    return "\n".join(lines)


def _mirror_source(folder: Path) -> Source:
    from consumers.audit.mirror import mirror_entries

    return lambda first: mirror_entries(folder, first)
