"""`yesser audit explain`: from a figure to the entries that made it, in the database, a log elsewhere or an export."""

from __future__ import annotations

import click
from msgspec.structs import asdict

from consumers.explain.explain import Request
from consumers.explain.options import Asked, explain_options
from consumers.explain.renderings import models_table
from consumers.explain.shown_models import models
from consumers.proof.commands.audit_command import audit
from consumers.proof.completeness.commands import completeness_command
from infra.command_line.display import show
from infra.command_line.output import json_option, print_result

__all__ = ["audit"]
audit.add_command(completeness_command)


@audit.command("explain")
@click.argument("model", required=False)
@click.argument("key", required=False)
@click.argument("field", required=False)
@explain_options
@json_option
def explain_command(model: str | None, key: str | None, field: str | None, asked: Asked, as_json: bool) -> None:
    """Show the log entries that made a figure: FIELD of KEY in a read MODEL, each with the value before and after it.

    Without FIELD all figures of the key are explained, without MODEL the read models are listed. Without --from the
    database is read, and the figure of the live table is compared with what the entries add up to. A log elsewhere is
    proven first, and gives the same answer.

    Exit code 1: there is no such key, or the table differs from the log. Exit code 76: the log is not what was signed.
    """
    if model is None:
        listed = [{"model": m.name, "key": m.key_form, "fields": list(m.fields)} for m in models().values()]
        print_result(listed, as_json, lambda: show(models_table(models().values())), indented=True)
        return
    request = Request(model, key or "", field, asked.steps, derives=not as_json and field is not None)
    asked.answer(request, as_json, lambda found, proofs: asdict(found.document) | proofs)
