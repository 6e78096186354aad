"""Collecting through an adapter is recording runs: the same checks, the same results."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from vettle.engine.adapters import DomainAdapter, finding
from vettle.engine.adapters.gathering import available, gather
from vettle.engine.errors import InvalidArgument, SourceDamaged
from vettle.engine.experiments import lifecycle
from vettle.engine.experiments.design import MetricInput, VariantInput
from vettle.engine.experiments.results import results
from vettle.engine.project import Project

ROWS = "unit,variant,score\na1,short,0.9\na2,long,0.2\na3,short,0.8\na4,long,0.3\n"


@pytest.fixture(name="experiment")
def _experiment(project: Project) -> str:
    return lifecycle.create(
        project,
        name="wording",
        variants=[VariantInput(name="short", config={"a": 1}), VariantInput(name="long", config={"a": 2})],
        space={},
        metric=MetricInput(name="score", direction="higher", range=(0, 1)),
    ).experiment_id


def _table(folder: Path, text: str = ROWS) -> Path:
    file = folder / "rows.csv"
    file.write_text(text)
    return file


def test_every_shipped_adapter_is_found_and_is_one() -> None:
    """The three adapters come through the same entry points as those of other packages."""
    assert {"junit", "table", "short-video"} <= set(finding.names())
    for name in finding.names():
        assert isinstance(finding.load(name), DomainAdapter)
    assert [metric.name for metric in available().adapters["short-video"]] == [
        "view_percentage",
        "engagement",
    ]


def test_rows_become_runs_of_the_experiment(project: Project, experiment: str, tmp_path: Path) -> None:
    """What was collected is in the results, and the best and worst are described by what decides."""
    answer = gather(project, adapter="table", sources=[_table(tmp_path)], experiment=experiment)
    assert (answer.accepted, answer.applied, answer.refused) == (4, True, [])
    means = {row.name: row.mean for row in results(project, experiment=experiment).leaderboard}
    assert means == {"short": pytest.approx(0.85), "long": pytest.approx(0.25)}
    best, worst = answer.context.index("a1"), answer.context.index("a2")
    assert best < answer.context.index("Worst:") < worst


def test_the_same_report_twice_counts_once(project: Project, experiment: str, tmp_path: Path) -> None:
    """A unit that is collected again replaces what was there."""
    for _ in range(2):
        answer = gather(project, adapter="table", sources=[_table(tmp_path)], experiment=experiment)
    assert answer.updated == 4
    assert results(project, experiment=experiment).runs == 4


def test_one_bad_row_keeps_all_of_them_out(project: Project, experiment: str, tmp_path: Path) -> None:
    """A variant that the experiment does not have is named, and nothing is recorded."""
    file = _table(tmp_path, ROWS + "a5,middle,0.5\n")
    answer = gather(project, adapter="table", sources=[file], experiment=experiment)
    assert (answer.accepted, answer.applied) == (0, False)
    [refused] = answer.refused
    assert refused.row == 4 and refused.reason.startswith("rows.csv:6: no variant 'middle'")
    assert results(project, experiment=experiment).runs == 0


def test_a_row_far_down_is_named_by_its_line(project: Project, experiment: str, tmp_path: Path) -> None:
    """The place of a refused row is told beyond the rows that the answer shows."""
    rows = "".join(f"a{number},short,0.5\n" for number in range(60))
    file = _table(tmp_path, f"unit,variant,score\n{rows}z,middle,0.5\n")
    answer = gather(project, adapter="table", sources=[file], experiment=experiment)
    assert answer.refused[0].reason.startswith("rows.csv:62:")


def test_a_source_without_rows_is_said(project: Project, experiment: str, tmp_path: Path) -> None:
    """Headings alone record nothing, and the answer does not pretend that it was a dry run."""
    answer = gather(project, adapter="table", sources=[_table(tmp_path, "unit\n")], experiment=experiment)
    assert (answer.applied, answer.notes) == (False, ["The sources hold no rows."])
    assert answer.next_step == "Nothing to record."


def test_looking_records_nothing(project: Project, experiment: str, tmp_path: Path) -> None:
    """A dry run shows the runs and leaves the experiment as it was."""
    answer = gather(project, adapter="table", sources=[_table(tmp_path)], experiment=experiment, apply=False)
    assert (len(answer.runs), answer.applied) == (4, False)
    assert results(project, experiment=experiment).runs == 0


def test_a_report_without_a_unit_takes_the_one_of_the_call(
    project: Project, experiment: str, tmp_path: Path
) -> None:
    """CI does not know whose work it tested; whoever collects says so, once for one run."""
    report = tmp_path / "junit.xml"
    report.write_text("<testsuite><testcase/></testsuite>")
    answer = gather(
        project, adapter="junit", sources=[report], experiment=experiment, unit="task-7", variant="short"
    )
    assert (answer.accepted, answer.runs[0].unit) == (1, "task-7")
    assert any("no 'score'" in note for note in answer.notes)
    with pytest.raises(InvalidArgument, match="unit"):
        gather(project, adapter="junit", sources=[report], experiment=experiment)
    with pytest.raises(InvalidArgument, match="and 1 more"):
        nameless = _table(tmp_path, "variant,score\nshort,1\nlong,0\n")
        gather(project, adapter="table", sources=[nameless], experiment=experiment, unit="one")


def test_a_file_that_is_not_there_is_named(project: Project, experiment: str, tmp_path: Path) -> None:
    """A source that cannot be read is refused by its name."""
    with pytest.raises(SourceDamaged, match=r"nothing\.csv"):
        gather(project, adapter="table", sources=[tmp_path / "nothing.csv"], experiment=experiment)


def test_an_unknown_adapter_names_the_installed_ones() -> None:
    """A misspelt adapter is answered with those there are."""
    with pytest.raises(InvalidArgument, match=r"Installed: .*junit"):
        finding.load("junitt")


def test_a_package_that_offers_something_else_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point of a foreign package that is no adapter, or does not load, is refused with its place."""
    entries = [
        EntryPoint("wrong", "builtins:object", finding.GROUP),
        EntryPoint("absent", "no_such_module_of_anybody:Adapter", finding.GROUP),
    ]
    monkeypatch.setattr(finding, "entry_points", lambda *, group: entries)
    with pytest.raises(InvalidArgument, match="is no DomainAdapter"):
        finding.load("wrong")
    with pytest.raises(InvalidArgument, match="cannot be loaded"):
        finding.load("absent")
