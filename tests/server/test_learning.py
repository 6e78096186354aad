"""`vettle learn`: what it finds, how it says so, and what it refuses; and the words that rules get."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from mcp import Client

from vettle.engine.errors import VettleError
from vettle.server.app import create_server
from vettle.server.cli import cli

FINDINGS = [
    {
        "severity": "CRITICAL",
        "category": "security",
        "description": "SQL from strings",
        "rule_learned": "Pass values to SQL as parameters.",
        "location": "src/a.py:3",
    },
    {"severity": "nitpick", "description": "A name says nothing", "rule_learned": "Name units."},
]
ENTRY = "## Improvements\n\n### Workflow\n\n- name units\n- Why?\n"


@pytest.fixture(name="root")
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "review.json").write_text(json.dumps({"issues": FINDINGS}), encoding="utf-8")
    folder = tmp_path / "buildlog"
    folder.mkdir()
    (folder / "2026-03-01-units.md").write_text(ENTRY, encoding="utf-8")
    (folder / "2026-03-02-more.md").write_text(ENTRY.replace("units", "every unit"), encoding="utf-8")
    (folder / "notes.md").write_text("## Improvements\n- not an entry by its name\n", encoding="utf-8")
    return tmp_path


def _run(root: Path, *arguments: str, code: int = 0) -> str:
    """Run a command as people do; return what it prints, or the message it fails with."""
    result = CliRunner().invoke(cli, ["--project", str(root), *arguments])
    if isinstance(result.exception, VettleError):
        assert result.exception.exit_code == code
        return str(result.exception)
    assert result.exit_code == code, result.output
    return result.output


def _json(root: Path, *arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(cli, ["--project", str(root), *arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    record = json.loads(result.stdout)
    assert isinstance(record, dict)
    return record


def test_a_review_a_journal_and_a_pack_lead_to_rules(root: Path) -> None:
    """Each command says what is new, what was found again and what to do; the list shows the words for it."""
    text = _run(root, "learn", "--from-review", "review.json")
    assert "2 findings (1 blocker, 1 suggestion), 0 known already" in text
    assert "new          Pass values to SQL as parameters." in text and "Fix the blockers first (1)" in text
    text = _run(root, "learn", "--from-journal", "buildlog")
    assert "reinforced   Name units. (found 2 times)" in text
    assert "line 6: a question: Why?" in text
    assert "rules: 12 new" in _run(root, "learn", "--pack", "careful-changes")
    listed = _run(root, "rules", "--query", "Name")
    assert "confidence" in listed and "found again" in listed and "speculative" in listed
    rule_id = next(line.split()[0] for line in listed.splitlines() if line.startswith("name-units"))
    explained = _run(root, "explain", rule_id)
    assert "founded   speculative; found again 1 time since it was added" in explained
    assert "found again in buildlog/2026-03-01-units.md:5" in explained


def test_the_record_is_what_json_prints_and_a_dry_run_records_nothing(root: Path) -> None:
    """Every way of learning has --dry-run, which leaves no database, and --json."""
    for arguments in (
        ["--from-review", str(root / "review.json")],
        ["--from-journal", str(root / "buildlog")],
        ["--pack", "safe-code"],
    ):
        seen = _json(root, "learn", *arguments, "--dry-run")
        assert seen["counts"]["new"] >= 2 and seen["applied"] is False and "Nothing" in seen["next_step"]
    assert not (root / ".vettle").exists()
    assert _json(root, "learn", "--from-review", str(root / "review.json"))["action"] == "fix_blockers"


def test_entries_may_be_named_one_by_one(root: Path) -> None:
    """A pattern that the shell expands works, and names decide nothing for files that are named."""
    names = [str(path) for path in sorted((root / "buildlog").iterdir())]
    record = _json(root, "learn", "--from-journal", *names)
    assert [entry["date"] for entry in record["entries"]] == ["2026-03-01", "2026-03-02", ""]
    folder = _json(root, "learn", "--from-journal", str(root / "buildlog"))
    assert [entry["path"] for entry in folder["entries"]] == [
        "buildlog/2026-03-01-units.md",
        "buildlog/2026-03-02-more.md",
    ]
    assert folder["counts"] == {"known": 2}


def test_packs_are_listed(root: Path) -> None:
    """The list names each pack, how many rules it has and what it is about."""
    assert [pack["name"] for pack in _json(root, "learn", "--packs")["packs"]] == [
        "careful-changes",
        "safe-code",
    ]
    assert "safe-code" in _run(root, "learn", "--packs")


def test_rules_can_be_shared_as_a_pack(root: Path) -> None:
    """`vettle rules --pack` prints what `vettle learn --pack` reads."""
    _run(root, "learn", "--pack", "safe-code")
    (root / "team.yaml").write_text(_run(root, "rules", "--pack"), encoding="utf-8")
    assert "rules: 12 known" in _run(root, "learn", "--pack", "team.yaml")
    assert len(_json(root, "rules", "--pack", "--query", "secure")["rules"]) == 1
    assert "0 rules fit" in _run(root, "rules", "--pack", "--status", "proven", code=2)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "--from-review, --from-journal, --pack and --packs"),
        (["--packs", "--pack", "safe-code"], 2, "Give one of"),
        (["--pack", "safe-code", "more.md"], 2, "go with --from-journal"),
        (["--pack", "nothing"], 2, "There are careful-changes, safe-code"),
        (["--from-journal", "nowhere"], 2, "does not exist"),
        (["--from-review", "nowhere.json"], 3, "cannot be read"),
        (["--from-review", "bad.json"], 2, "'high' is none of blocker"),
        (["--from-review", "broken.json"], 3, "broken.json:1: not JSON"),
    ],
)
def test_wrong_use_is_explained_and_records_nothing(
    root: Path, arguments: list[str], code: int, said: str
) -> None:
    """The message says what is wrong and what would do, with the exit code of its kind."""
    (root / "bad.json").write_text('[{"severity": "high", "description": "x"}]', encoding="utf-8")
    (root / "broken.json").write_text("[", encoding="utf-8")
    error = _run(root, "learn", *arguments, code=code)
    assert said in error
    assert not (root / ".vettle").exists()


@pytest.mark.asyncio
async def test_an_agent_ends_its_session_with_a_journal_entry(root: Path) -> None:
    """Over MCP the entry's rules go on trial, once for retries, and the list carries the confidence."""
    async with Client(create_server(str(root))) as client:

        async def call(tool: str, **arguments: Any) -> dict[str, Any]:
            result = await client.call_tool(tool, arguments)
            assert not result.is_error, result.content
            assert isinstance(result.structured_content, dict)
            return result.structured_content

        session = (await call("session_start", task="x"))["session_id"]
        end = {"session_id": session, "entry_file": "buildlog/2026-03-01-units.md", "client_ref": "e1"}
        assert (await call("session_end", **end))["rules_found"] == 1
        assert (await call("session_end", **end))["rules_found"] == 1
        page = await call("rules_list")
    assert [(rule["text"], rule["confidence"]) for rule in page["rules"]] == [("name units", "speculative")]
