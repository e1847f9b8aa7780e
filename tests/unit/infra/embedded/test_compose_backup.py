"""The runbook's backup and its restore in containers, with stand-ins for Docker and PostgreSQL's tools."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import yaml

from tests.paths import ROOT

DOCKER = """\
#!/bin/bash
case "$1 $2" in
  "compose exec")
    [ "$3 $4 $5 $6" = "-T postgres sh -c" ] || exit 1
    exec sh -c "${7//\\/run\\/secrets/$PWD\\/secrets}" ;;
  *) echo "docker $*" >> said ;;
esac
"""
TOOL = """\
#!/bin/bash
name=$(basename "$0")
echo "$name $* as $PGUSER at $PGHOST with $PGPASSWORD" >> said
if [ "$name" = pg_dump ]; then echo the-dump; else cat >> said; fi
"""


def test_every_tool_signs_in_with_the_superusers_password_and_the_dump_is_read_back(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    section = page.partition("## Backup and restore")[2].partition("\n## ")[0]
    blocks = [block for block in re.findall(r"^```sh\n(.*?)^```", section, re.M | re.S) if "docker compose" in block]
    (tmp_path / "secrets" / "superuser").mkdir(parents=True)
    (tmp_path / "secrets" / "superuser" / "postgres").write_text("the-password")
    for name, text in (("docker", DOCKER), ("pg_dump", TOOL), ("pg_restore", TOOL), ("psql", TOOL)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o700)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-eu", "-c", "\n".join(blocks)], cwd=tmp_path, env=environment, check=True, timeout=30)
    assert (tmp_path / "said").read_text().splitlines() == [
        "pg_dump --format custom yesser as postgres at 127.0.0.1 with the-password",
        "docker compose cp registrar:/var/lib/yesser/log/checkpoint .",
        "docker compose down",
        "docker compose run --rm prepare",
        "psql --dbname postgres --set ON_ERROR_STOP=1 as postgres at 127.0.0.1 with the-password",
        "ALTER DATABASE yesser RENAME TO yesser_old;",
        "CREATE DATABASE yesser OWNER yesser_owner;",
        "pg_restore --single-transaction --dbname yesser as postgres at 127.0.0.1 with the-password",
        "the-dump",
        "docker compose up --detach",
    ]
    postgres = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]["postgres"]["environment"]
    assert postgres["POSTGRES_PASSWORD_FILE"] == "/run/secrets/superuser/postgres", "where the page reads it"
    assert "--auth=scram-sha-256" in postgres["POSTGRES_INITDB_ARGS"].split(), "everybody is asked for one"
