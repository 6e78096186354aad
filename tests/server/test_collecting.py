"""`vettle collect`: results of other systems, from the command line into an experiment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def _vettle(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "vettle", "--project", str(project), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=project, env=dict(os.environ)
    )


def _experiment(project: Path) -> None:
    variants = '[{"name": "short"}, {"name": "long"}]'
    metric = '{"name": "pass_rate", "direction": "higher", "range": [0, 1]}'
    _vettle(project, "experiment", "create", "wording", "--variants", variants, "--metric", metric)


def test_a_report_of_ci_is_a_run_of_the_assigned_variant(tmp_path: Path) -> None:
    """variant_select, work, CI, collect: the report counts for the variant that the unit was given."""
    _experiment(tmp_path)
    selected = json.loads(
        _vettle(tmp_path, "experiment", "select", "wording", "--unit", "t-1", "--json").stdout
    )
    report = tmp_path / "junit.xml"
    report.write_text('<testsuite><testcase time="1.5"/><testcase><failure/></testcase></testsuite>')
    done = _vettle(
        tmp_path,
        "collect",
        "junit",
        str(report),
        "--experiment",
        "wording",
        "--unit",
        selected["assignment_id"],
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(_vettle(tmp_path, "experiment", "results", "wording", "--json").stdout)
    [row] = [row for row in results["leaderboard"] if row["n"]]
    assert (row["name"], row["mean"], row["duration_ms"]) == (selected["variant"], 0.5, 1500.0)


def test_a_refused_row_is_one_line_with_its_place(tmp_path: Path) -> None:
    """A row that cannot count exits with 1 and names the file and the line on stderr; nothing is recorded."""
    _experiment(tmp_path)
    table = tmp_path / "rows.csv"
    table.write_text("unit,variant,pass_rate\na,short,1\nb,middle,1\n")
    done = _vettle(tmp_path, "collect", "table", str(table), "--experiment", "wording")
    assert done.returncode == 1
    assert "rows.csv:3" in done.stderr
    assert done.stderr.count("\n") == 1
    results = json.loads(_vettle(tmp_path, "experiment", "results", "wording", "--json").stdout)
    assert results["runs"] == 0


def test_without_an_adapter_it_lists_them(tmp_path: Path) -> None:
    """Which adapters there are is one command away, with the metrics they make."""
    done = _vettle(tmp_path, "collect", "--json")
    assert {"junit", "table", "short-video"} <= set(json.loads(done.stdout)["adapters"])
