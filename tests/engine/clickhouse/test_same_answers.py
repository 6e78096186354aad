"""ClickHouse gives the records of the default engine, to the last name and digit, whatever the history."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conftest import ManualClock
from tests.engine.clickhouse.conftest import Loopback
from tests.engine.clickhouse.world import HOSTILE, NEWLINE, history, questions, same
from tests.engine.experiments.world import create, record

from vettle.engine import mistakes, sessions
from vettle.engine.analysis.analysing import analyse
from vettle.engine.analysis.spans import MOST_RUNS
from vettle.engine.clickhouse.plan import Engine
from vettle.engine.errors import InvalidArgument, UnknownExperiment
from vettle.engine.experiments import lifecycle, results, runs
from vettle.engine.experiments.design import MetricInput
from vettle.engine.experiments.runs import RunInput
from vettle.engine.project import Project
from vettle.engine.upkeep.pruning import prune


def _both(project: Project, engine: Engine, kind: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    default = analyse(project, kind, **arguments).model_dump()
    counted = analyse(project, kind, engine=engine, **arguments).model_dump()
    assert (default.pop("engine"), counted.pop("engine")) == ("default", "clickhouse")
    same(default, counted)
    return counted


@pytest.mark.parametrize("seed", range(4))
def test_a_server_gives_the_same_records(
    on_file: Project, clock: ManualClock, server: Engine, seed: int
) -> None:
    """For every kind of question, over random histories full of hostile names and missing numbers."""
    history(on_file, clock, seed)
    for kind, arguments in questions():
        _both(on_file, server, kind, arguments)


def test_the_embedded_engine_gives_the_same_records(
    project: Project, clock: ManualClock, embedded: Engine
) -> None:
    """The child process counts as the default engine does, over either store."""
    history(project, clock, 100)
    for kind, arguments in questions()[::2]:
        _both(project, embedded, kind, arguments)


def test_after_the_year_2106(on_file: Project, clock: ManualClock, server: Engine) -> None:
    """Times beyond ClickHouse's own dates are days, weeks and hours like any others."""
    clock.forward(days=365 * 150)
    history(on_file, clock, 7, length=25)
    for kind, arguments in questions():
        _both(on_file, server, kind, arguments)


def test_names_arrive_as_they_are(on_file: Project, clock: ManualClock, server: Engine) -> None:
    """Quotes, backslashes, newlines, emoji and SQL are names like any other, and answer by by."""
    history(on_file, clock, 1)
    asked = {"experiment": HOSTILE[0], "by": (HOSTILE[0], NEWLINE), "limit": 100}
    found = _both(on_file, server, "experiment", asked)["experiment"]
    assert {row["variant"] for row in found["variants"]} == set(HOSTILE[:3])
    assert NEWLINE in {row["values"][0] for row in found["marginals"]}
    modes = _both(on_file, server, "failures", {"period": "all", "limit": 100})["failures"]["modes"]
    assert {mode["failure_mode"] for mode in modes} >= {'%s `x` "y"'}


def test_statements_are_constant(
    on_file: Project, clock: ManualClock, loopback: Loopback, server: Engine
) -> None:
    """No name and no value of a user is ever in the text of a query: the same ones go over any project."""

    def sent(seed: int) -> set[str]:
        history(on_file, clock, seed, length=10)
        before = len(loopback.log.read_text("utf-8"))
        for kind, arguments in questions():
            analyse(on_file, kind, engine=server, **arguments)
        return set(loopback.log.read_text("utf-8")[before:].splitlines())

    create(on_file, name="composed")
    one = sent(3)
    assert len(one) > 10
    assert not [line for line in one for word in (*HOSTILE, "composed", "latency", "model") if word in line]


def test_a_missing_metric_is_never_zero(on_file: Project, server: Engine) -> None:
    """Null was not measured: it is counted as missing, and no mean has it; failures count as the worst."""
    create(on_file)
    rows = [RunInput(unit=str(at), variant="a", metrics={"passed": None, "x": None}) for at in range(3)]
    rows.append(RunInput(unit="9", variant="b", metrics={"x": 4.0, "passed": 1}))
    rows.append(RunInput(unit="10", variant="b", metrics={"x": 4.0}, status="failed"))
    record(on_file, *rows)
    found = _both(on_file, server, "experiment", {"experiment": "prompt", "metric": "x"})["experiment"]
    [first, second] = found["variants"]
    assert (first["n"], first["missing"], first["mean"], first["least"]) == (0, 3, None, None)
    assert (second["n"], second["missing"], second["mean"], second["deviation"]) == (1, 1, 4.0, None)
    assert second["statuses"] == {"completed": 1, "failed": 1}
    decided = _both(on_file, server, "experiment", {"experiment": "prompt"})["experiment"]
    assert decided["variants"][1]["mean"] == 0.5


def test_the_numbers_are_those_of_the_leaderboard(
    on_file: Project, clock: ManualClock, server: Engine
) -> None:
    """Means, counts, prices, marginals and series are the ones that `experiment_results` tells."""
    history(on_file, clock, 5)
    arguments: dict[str, Any] = {
        "experiment": HOSTILE[0],
        "by": HOSTILE[:1],
        "interval": "week",
        "limit": 100,
    }
    told = results.results(on_file, **arguments)
    found = analyse(on_file, "experiment", engine=server, **arguments).experiment
    assert found is not None and found.series is not None and told.series is not None
    board = {row.name: row for row in told.leaderboard}
    for row in found.variants:
        its = board[row.variant]
        assert (row.n, row.mean, row.statuses) == (its.n, its.mean, its.statuses)
        assert (row.duration_ms, row.tokens, row.cost) == (its.duration_ms, its.tokens, its.cost)
    assert found.marginals == told.marginals
    assert (found.series.starts, len(found.series.variants)) == (told.series.starts, 3)
    assert sorted(found.series.variants, key=str) == sorted(told.series.variants, key=str)


@pytest.mark.parametrize("kind", ["costs", "failures", "mistakes", "sessions"])
def test_nothing_gives_nothing(on_file: Project, server: Engine, kind: str) -> None:
    """An empty project has the same empty record in both."""
    _both(on_file, server, kind, {"period": "all"})


def test_an_experiment_without_runs(on_file: Project, embedded: Engine) -> None:
    """It has its variants, without numbers, and no series."""
    create(on_file)
    found = _both(
        on_file, embedded, "experiment", {"experiment": "prompt", "by": ("name",), "interval": "day"}
    )
    assert [row["n"] for row in found["experiment"]["variants"]] == [0, 0]


def test_all_of_a_long_history_counts(on_file: Project, embedded: Engine) -> None:
    """The default engine reads the newest recordings and says so; ClickHouse reads all, and has nothing to say."""
    create(on_file)
    with on_file.write() as transaction:
        found = lifecycle.require(transaction, "prompt")
        variant = found.design["variants"][0]["id"]
        for number in range(MOST_RUNS + 5):
            runs.append(transaction, found, f"{number}", variant, RunInput(cost=1.0, metrics={"passed": 1.0}))
    default = analyse(on_file, "costs", period="all").costs
    counted = analyse(on_file, "costs", engine=embedded, period="all").costs
    assert default is not None and counted is not None
    assert (default.total.cost, counted.total.cost) == (MOST_RUNS, MOST_RUNS + 5)
    assert any("newest" in note for note in default.notes) and not any(
        "newest 1" in note for note in counted.notes
    )


def test_the_same_questions_are_refused(on_file: Project, server: Engine) -> None:
    """What was never recorded is named in either engine, and so is an argument that goes with another kind."""
    create(on_file, metric=MetricInput(name="passed", direction="higher", kind="binary"))
    record(
        on_file, RunInput(unit="1", variant="a", metrics={"passed": 1, "seen": 2}, dimensions={"model": "x"})
    )
    for engine in (None, server):
        with pytest.raises(InvalidArgument, match="Recorded: 'passed', 'seen'"):
            analyse(on_file, "experiment", engine=engine, experiment="prompt", metric="latency")
        with pytest.raises(InvalidArgument, match=r"Recorded: .*'model'"):
            analyse(on_file, "experiment", engine=engine, experiment="prompt", by=("colour",))
        with pytest.raises(UnknownExperiment):
            analyse(on_file, "experiment", engine=engine, experiment="nope")
        with pytest.raises(InvalidArgument, match="none is named"):
            analyse(on_file, "experiment", engine=engine)
        with pytest.raises(InvalidArgument, match="does not go with kind costs"):
            analyse(on_file, "costs", engine=engine, metric="passed")
        with pytest.raises(InvalidArgument, match="counted by class"):
            analyse(on_file, "mistakes", engine=engine, context="ci")
        with pytest.raises(InvalidArgument, match="from its beginning"):
            analyse(on_file, "experiment", engine=engine, experiment="prompt", period="7d")


def test_a_pruned_log_is_said_to_be_one(on_file: Project, clock: ManualClock, server: Engine) -> None:
    """What was pruned is in the sums of the default engine alone, and only a period that reaches it has the note."""
    started = sessions.start(on_file, task="work", context="ci")
    mistakes.log(on_file, error_class="lint", description="unused import", session_id=started.session_id)
    sessions.end(on_file, session_id=started.session_id, outcome="accepted")
    clock.forward(days=60)
    sessions.start(on_file, task="more", context="ci")
    before = _both(on_file, server, "sessions", {"period": "all"})["sessions"]
    assert before["contexts"][0]["started"] == 2 and not before["notes"]
    assert prune(on_file, keep_days=30).removed
    for kind in ("mistakes", "sessions"):
        _both(on_file, server, kind, {"period": "30d"})
        told = analyse(on_file, kind, engine=server, period="all").model_dump()[kind]
        assert (
            "pruned" in told["notes"][0] and told != analyse(on_file, kind, period="all").model_dump()[kind]
        )
