"""docs/coming-from.md: every feature of the five systems is named there, and every command there runs."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests import peers
from tests.engine.exchange.test_buildlog import WORK, New, Old
from tests.engine.exchange.test_ordal import DRIVER, REQUIREMENTS

from vettle.engine import rules, sessions
from vettle.engine.exchange.log import export_log
from vettle.engine.experiments import assignment, lifecycle, runs
from vettle.engine.experiments.design import Component, MetricInput, Mode, VariantInput
from vettle.engine.experiments.runs import RunInput
from vettle.engine.project import Project
from vettle.server.cli import cli

PAGE = (Path(__file__).parents[2] / "docs" / "coming-from.md").read_text(encoding="utf-8")
ROWS_OF_TABLES = "\n".join(line for line in PAGE.splitlines() if line.startswith("|"))
COMMANDS = list(dict.fromkeys(re.findall(r"`(vettle [^`]+)`", ROWS_OF_TABLES)))
ROWS = {"A": 31, "B": 9, "O": 19, "P": 13, "S": 21}

BUILDLOG = [
    "status",
    "promote",
    "reject",
    "diff",
    "learn_from_review",
    "log_reward",
    "rewards",
    "experiment_start",
    "experiment_end",
    "log_mistake",
    "experiment_metrics",
    "experiment_report",
    "gauntlet_issues",
    "gauntlet_accept_risk",
    "bandit_status",
    "posterior_history",
    "gauntlet_rules",
    "gauntlet_rule_lookup",
    "gauntlet_list_personas",
    "gauntlet_loop",
    "gauntlet_prompt",
    "gauntlet_generate",
    "overview",
    "entry_new",
    "entry_list",
    "stats",
    "distill",
    "skills",
    "commit",
    "migrate",
    "export",
    "import_seed",
    "ingest_seeds",
    "verify",
    "init",
    "update",
    "claude_md",
    "cursor",
    "copilot",
    "windsurf",
    "continue_dev",
    "skill",
    "settings_json",
]
"""The tools and renderers of buildlog 0.8 and 0.23."""

COMMAND_LINE = [
    "init",
    "new",
    "list",
    "overview",
    "distill",
    "skills",
    "stats",
    "status",
    "diff",
    "promote",
    "reject",
    "reward",
    "rewards",
    "update",
    "commit",
    "init-mcp",
    "mcp-test",
    "verify",
    "migrate",
    "export",
    "viz",
]
"""Its commands that are not spelled like a tool."""

BINARY = MetricInput(name="passed", direction="higher", kind="binary")


def _experiment(
    project: Project, name: str, variants: list[VariantInput], metric: MetricInput, variable: str = ""
) -> None:
    mode: Mode = "paired" if name == "paired" else "interleaved"
    lifecycle.create(
        project, name=name, variants=variants, space={}, metric=metric, mode=mode, variable=variable
    )


def _two(*names: str) -> list[VariantInput]:
    return [VariantInput(name=name, config={"prompt": name}) for name in names]


def _wording(project: Project) -> str:
    _experiment(project, "wording", _two("short", "long"), BINARY)
    for number in range(12):
        unit = f"w-{number}"
        chosen = assignment.select(
            project, experiment="wording", unit=unit, stratum="python" if number % 2 else "go"
        )
        failed = number % 5 == 0
        run = RunInput(
            assignment_id=unit,
            status="failed" if failed else "completed",
            failure_mode="tests" if failed else "",
            metrics={} if failed else {"passed": float(chosen.variant == "short" or number % 3 == 0)},
            duration_ms=1000.0 + number,
            tokens_in=100,
            tokens_out=50,
            cost=0.01,
            dimensions={"language": "go" if number % 2 else "python"},
        )
        runs.record(project, experiment="wording", runs=[run])
    return chosen.experiment_id


def _routing(project: Project) -> None:
    models = [VariantInput(name=name, config={"model": name}) for name in ("small", "large")]
    _experiment(
        project,
        "routing",
        models,
        MetricInput(name="success", direction="higher", kind="binary"),
        variable="model",
    )
    for number in range(24):
        run = RunInput(
            unit=f"m-{number}",
            variant=("small", "large")[number % 2],
            context=("docs", "refactoring")[number // 2 % 2],
            metrics={"success": float(number % 3 > 0)},
            tokens_out=100,
            cost=0.02,
        )
        runs.record(project, experiment="routing", runs=[run])


def _others(project: Project) -> None:
    score = MetricInput(name="stars", direction="higher")
    _experiment(project, "rating", _two("a", "b"), score)
    results = [
        RunInput(unit=f"r-{n}", variant="ab"[n % 2], metrics={"stars": 3.0 + n % 3}) for n in range(10)
    ]
    runs.record(project, experiment="rating", runs=results)
    _experiment(project, "paired", _two("a", "b"), BINARY)
    _experiment(project, "priors", _two("a", "b"), BINARY)
    _experiment(
        project, "hooks", _two("question", "claim"), MetricInput(name="view_percentage", direction="higher")
    )
    weights = (
        Component(name="quality", direction="higher", range=(0, 1), weight=2),
        Component(name="cost", direction="lower", range=(0, 5)),
    )
    _experiment(project, "weights", _two("a", "b"), MetricInput(components=weights))
    both = [
        RunInput(unit=f"c-{n}", variant="ab"[n % 2], metrics={"quality": 0.5, "cost": 1.0}) for n in range(6)
    ]
    runs.record(project, experiment="weights", runs=both)
    lifecycle.create(project, name="grid", space={"model": ["a", "b"], "temperature": [0, 1]}, metric=BINARY)


def _files(folder: Path) -> None:
    """Write what the commands read: files in the formats of the systems, and of the page's own features."""
    (folder / "videos.jsonl").write_text(
        '{"platform": "youtube", "id": "v1", "variant": "question", "avg_view_pct": 61}\n'
    )
    issues = [
        {
            "severity": "major",
            "category": "testing",
            "description": "The parser has no test for an empty file",
            "rule_learned": "Test every parser with an empty file.",
        }
    ]
    (folder / "review.json").write_text(json.dumps({"issues": issues}))
    (folder / "journal").mkdir()
    (folder / "journal" / "2026-03-01-parser.md").write_text(
        "# Build journal\n\n## Improvements\n\n### Workflow\n\n- Run the tests of the module before the whole suite\n"
    )
    (folder / "pack.yaml").write_text(
        "name: ours\nrules:\n  - text: Write the failing test first.\n    category: testing\n    prior: 0.05\n"
    )
    _systems(folder)


def _systems(folder: Path) -> None:
    for peer, name in (
        (Old(folder / "peers" / "old"), "buildlog"),
        (New(folder / "peers" / "new"), ".buildlog"),
    ):
        peer.run(WORK)
        shutil.copytree(peer.folder if name == "buildlog" else peer.source, folder / name)
    ordal = peers.python(*REQUIREMENTS)
    peers.run(ordal, DRIVER, folder / "ordal.jsonl", folder=folder)
    shutil.rmtree(folder / "peers")
    (folder / "ledger.json").write_text(
        json.dumps(
            [
                {
                    "domain": "video",
                    "experiment_id": "ab12cd34",
                    "variable": "hook",
                    "variant": variant,
                    "metric_values": {"retention": 40 + number},
                    "winner": False,
                    "timestamp": f"2026-03-0{number + 1}T10:00:00+00:00",
                }
                for number, variant in enumerate(("question", "claim", "question", "claim"))
            ]
        )
    )
    events = [
        {"type": "variant.complete", "timestamp": f"2026-03-01T10:0{n}:00Z", "data": data}
        for n, data in enumerate(
            {
                "experimentId": "prompts",
                "variantId": variant,
                "variantName": variant,
                "runId": f"run-{n}",
                "success": True,
                "duration": 12,
                "metricValue": n,
            }
            for n, variant in enumerate(("a", "b"))
        )
    ]
    (folder / "tracking.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    performance = {"refactoring": {"small": {"successes": 3, "failures": 1, "timeouts": 0, "totalCost": 0.2}}}
    (folder / "model-performance.json").write_text(json.dumps(performance))
    loops = [
        {
            "id": f"00000000-0000-0000-0000-00000000000{n}",
            "experiment_id": "11111111-0000-0000-0000-000000000000",
            "status": "completed",
            "config": {"temperature": n % 2},
            "config_hash": f"{n % 2}" * 64,
            "scores": [{"scorer_name": "keyword", "value": 0.5}],
            "tokens_in": 10,
            "tokens_out": 5,
            "duration_ms": 100,
        }
        for n in range(4)
    ]
    (folder / "runs.json").write_text(json.dumps(loops))
    with closing(sqlite3.connect(folder / "outcomes.db")) as database, database:
        database.execute(
            "CREATE TABLE llm_task_outcomes(model_id TEXT, provider TEXT, unit_type TEXT, unit_id TEXT, succeeded INTEGER,"
            " retries INTEGER, escalated INTEGER, verification_passed INTEGER, blocker_discovered INTEGER,"
            " duration_ms INTEGER, tokens_total INTEGER, cost_usd REAL, recorded_at TEXT)"
        )
        database.execute(
            "INSERT INTO llm_task_outcomes VALUES"
            " ('small', 'p', 'docs', 't1', 1, 0, 0, NULL, 0, 900, 120, .01, '2026-03-01T10:00:00Z')"
        )


class Prepared:
    """A project with something of everything, to be copied for every command."""

    def __init__(self, root: Path) -> None:
        self.root = root
        project = Project(root)
        rule = rules.add(project, text="Import only what is used.", source="human")
        flagged = rules.add(project, text="Read https://example.com/style first.")
        _routing(project)
        _others(project)
        ended = sessions.start(project, task="an earlier task", context="bug-fix", client_ref="a", seed=1)
        sessions.end(project, session_id=ended.session_id, outcome="accepted")
        opened = sessions.start(project, task="the task at hand", context="bug-fix", client_ref="b", seed=2)
        self.names = {
            "RULE": rule.rule_id,
            "FLAGGED": flagged.rule_id,
            "SESSION": ended.session_id,
            "OPEN": opened.session_id,
            "EXPERIMENT": _wording(project),
        }
        with (root / "history.jsonl").open("wb") as stream:
            export_log(project, stream)
        _files(root)
        project.close()

    def arguments(self, command: str) -> list[str]:
        """Return the arguments of a command with real ids for the names that the page uses."""
        return [self.names.get(word, word) for word in shlex.split(command)[1:]]


@pytest.fixture(name="prepared", scope="module")
def _prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    yield Prepared(tmp_path_factory.mktemp("coming-from"))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_runs(
    prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Whoever comes from another system can copy any command, and it does its work."""
    root = tmp_path / "project"
    shutil.copytree(prepared.root, root)
    monkeypatch.chdir(root)
    # vettle init looks there for clients to connect.
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    if command.startswith("vettle serve"):
        # A server without a client: its input ends at once, and so does it.
        serve = [sys.executable, "-m", "vettle", "--project", str(root), *prepared.arguments(command)]
        assert subprocess.run(serve, stdin=subprocess.DEVNULL, timeout=30, check=False).returncode == 0
        return
    result = CliRunner().invoke(cli, ["--project", str(root), *prepared.arguments(command)], input="")
    assert result.exit_code == 0, f"{result.output}\n{result.exception!r}"


@pytest.mark.parametrize("letter", ROWS)
def test_every_row_of_the_feature_tables_is_named_with_a_command(letter: str) -> None:
    """No feature of ai-experiments, adaptive-iteration, Ordal, PromptLooper or Singularity Forge is left out."""
    rows = dict(re.findall(rf"^\| ({letter}\d+) \|(.*)$", PAGE, re.MULTILINE))
    assert list(rows) == [f"{letter}{number + 1}" for number in range(ROWS[letter])]
    assert all("`vettle " in row for row in rows.values())


@pytest.mark.parametrize("name", dict.fromkeys([*BUILDLOG, *COMMAND_LINE]))
def test_every_tool_command_and_renderer_of_buildlog_is_named_with_a_command(name: str) -> None:
    """No feature of buildlog is left out."""
    section = PAGE.partition("## From buildlog")[2]
    rows = re.findall(r"^\| ([^|]+) \|(.*)$", section, re.MULTILINE)
    found = [rest for names, rest in rows if name in re.split(r", ", names.strip())]
    assert found, f"{name} is not on the page"
    assert all("`vettle " in rest for rest in found)
