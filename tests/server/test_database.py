"""`vettle db copy`: a project moves to a server and back by two commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.postgres import fresh_name

from vettle.server.cli import cli


def _run(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--project", str(root), *arguments])


@pytest.fixture(autouse=True)
def _no_other_database(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VETTLE_DATABASE_URL", "VETTLE_DATABASE_PROJECT"):
        monkeypatch.delenv(name, raising=False)


def test_a_project_moves_to_a_server_and_back(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record has the counts and checksums of both sides; the settings then lead to the new place."""
    name = fresh_name()
    assert _run(tmp_path, "rule", "add", "Sort the imports.").exit_code == 0
    done = _run(tmp_path, "db", "copy", "--to", postgres, "--as", name, "--json")
    record = json.loads(done.stdout)
    assert record["events"] == 1 and record["target"] == f"postgresql://localhost/postgres as {name!r}"
    assert name in record["next_step"] and record["origin"].endswith("vettle.db")
    monkeypatch.setenv("VETTLE_DATABASE_URL", postgres)
    monkeypatch.setenv("VETTLE_DATABASE_PROJECT", name)
    assert "sort-the-imports" in _run(tmp_path, "rules").stdout
    back = tmp_path / "back"
    back.mkdir()
    done = _run(tmp_path, "db", "copy", "--to", str(back / ".vettle" / "vettle.db"))
    assert done.exit_code == 0 and "Both sides are the same." in done.stdout
    assert f"put it at {tmp_path / '.vettle' / 'vettle.db'}, and take [database] out" in done.stdout
    assert record["tables_sha256"] in done.stdout and record["posterior_sha256"] in done.stdout
    own = tmp_path / "clone"
    own.mkdir()
    done = _run(own, "db", "copy", "--to", str(own / ".vettle" / "vettle.db"))
    assert "To use the file, take [database] out" in done.stdout
    assert (own / ".vettle" / ".gitignore").exists()
    monkeypatch.delenv("VETTLE_DATABASE_URL")
    assert "sort-the-imports" in _run(back, "rules").stdout
    other = tmp_path / "other"
    other.mkdir()
    done = _run(other, "db", "copy", "--from", postgres, "--as", name)
    assert done.exit_code == 0 and "sort-the-imports" in _run(other, "rules").stdout


def test_what_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    """Neither or both directions is no copy."""
    for arguments in ((), ("--to", "a.db", "--from", "b.db")):
        done = _run(tmp_path, "db", "copy", *arguments)
        assert done.exit_code and "either --to or --from" in str(done.exception)
