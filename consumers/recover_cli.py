"""`yesser recover`: after a database was restored from a copy, bring back what the world has seen since."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import orjson

from consumers.registrar.recover import CannotRecover, Source, recover, topic_source
from infra.language import say
from infra.settings import Settings


@click.command("recover")
@click.option(
    "--from",
    "mirror",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Take the entries from a mirror folder instead of the log's topic.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def recover_command(mirror: Path | None, as_json: bool) -> None:
    """Bring missing entries back, byte by byte, and verify them against the checkpoint that was signed last."""
    settings = Settings()
    source: Source = topic_source(settings) if mirror is None else _mirror_source(mirror)
    try:
        result = asyncio.run(recover(settings, source, lambda what, size: click.echo(f"{what}: {size}", err=True)))
    except CannotRecover as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        document = {"size_before": result.size_before, "size": result.size, "root": result.root.hex()}
        click.echo(orjson.dumps(document))
    else:
        back, root = result.size - result.size_before, result.root.hex()
        say(
            f"في السجل {result.size:,} من القيود، أُعيد منها {back:,}؛ الجذر {root}.",
            f"The log has {result.size:,} entries ({back:,} were brought back); root {root}.",
        )


def _mirror_source(folder: Path) -> Source:
    from consumers.audit.mirror import mirror_entries

    return lambda first: mirror_entries(folder, first)
