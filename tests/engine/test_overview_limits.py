"""What the page leaves out of a long history, and says."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import histories
from tests.conftest import ManualClock

from vettle.engine.overview import experiments as overview_experiments
from vettle.engine.overview import gathering
from vettle.engine.project import Project


def test_long_experiments_are_named_where_they_are_not_read(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page reads so many runs and no more: the first experiment always, and of the others those that fit."""
    project = Project(tmp_path, clock=clock)
    try:
        histories.worked(project, clock.forward, days=4)
        whole = gathering.gather(project)
        first, second = (one.results.name for one in whole.experiments)
        assert whole.more_experiments == 0 and whole.notes == []
        runs = sum(one.results.runs for one in whole.experiments)
        monkeypatch.setattr(overview_experiments, "MOST_RUNS", runs)
        assert gathering.gather(project).experiments == whole.experiments
        monkeypatch.setattr(overview_experiments, "MOST_RUNS", runs - 1)
        page = gathering.gather(project)
        assert [one.results.name for one in page.experiments] == [first] and page.more_experiments == 1
        [note] = page.notes
        assert second in note and first not in note and "vettle experiment results" in note
    finally:
        project.close()
