"""The best configuration: proven where the verdict says so, else ahead so far, and never on too little."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.engine.experiments import world

from vettle.engine.errors import FilesRefused, InvalidArgument, UnknownExperiment
from vettle.engine.exchange import exporting
from vettle.engine.exchange.best import best
from vettle.engine.exchange.formats import as_json, as_yaml, dotenv
from vettle.engine.experiments.design import Component, GuardrailInput, MetricInput, VariantInput
from vettle.engine.experiments.results import results
from vettle.engine.experiments.runs import RunInput
from vettle.engine.project import Project
from vettle.engine.records.exports import BestExported

RATING = MetricInput(name="rating", direction="higher", range=(0, 1))


def win(project: Project, times: int = 120) -> None:
    """Let b win in randomised blocks; a is faster, b is dearer."""
    world.create(project)
    world.work(project, times, _raced)


def _raced(name: str, index: int) -> RunInput:
    return RunInput(
        metrics={"passed": float(name == "b" or index % 5 == 0)},
        duration_ms=100.0 + index % 7 if name == "a" else 500.0 + index % 7,
        cost=0.5 if name == "b" else 0.25,
        tokens_in=10,
        tokens_out=5,
    )


def record(project: Project, name: str, **rows: Any) -> None:
    """Record runs that nobody assigned."""
    number = rows.pop("times", 1)
    before = rows.pop("before", "")
    answer = world.record(
        project, *[RunInput(unit=f"{before}{name}{index}", variant=name, **rows) for index in range(number)]
    )
    assert answer.accepted == number, answer


# --- which one it is ------------------------------------------------------------------------------


def test_a_proven_winner_is_the_best_with_all_that_is_known(project: Project) -> None:
    """The winner's config, hash, estimates and verdict; totals over all runs; alternatives per config."""
    win(project)
    found = best(project, "prompt")
    assert (found.variant, found.proven, found.config) == ("b", True, {"name": "b"})
    assert found.verdict is not None
    assert (found.verdict.outcome, found.verdict.leader) == ("better", "b")
    assert found.low is not None and found.mean is not None and found.shrunk is not None
    assert found.low < found.shrunk <= found.mean == 1
    assert len(found.config_hash) == 64
    assert [row.name for row in found.alternatives] == ["b", "a"]
    assert (found.runs, found.statuses, found.n) == (120, {"completed": 120}, 60)
    assert (found.tokens.tokens_in, found.tokens.tokens_out, found.tokens.total) == (1200, 600, 1800)
    assert (found.cost.total, found.cost.per_run, found.cost.runs) == (45.0, 0.375, 120)
    assert (found.timing.fastest, found.timing.slowest, found.timing.runs) == (100.0, 506.0, 120)
    [spread] = found.distributions
    assert (spread.metric, spread.minimum, spread.maximum, spread.count) == ("passed", 0.0, 1.0, 120)
    assert found.scores == {"passed": 1.0}
    assert found.space == {"name": ["a", "b"]}
    assert found.exported_at == "2027-01-15T08:00:00+00:00"


def test_one_lucky_run_is_not_best(project: Project) -> None:
    """1.0 once does not beat .8 in fifty runs: without enough of them it is no candidate, and the rest unproven."""
    world.create(project, metric=RATING)
    world.upload(
        project, {"a": [0.8 + 0.01 * (index % 3) for index in range(50)], "b": [1.0]}, metric="rating"
    )
    found = best(project, "prompt", minimum_runs=5)
    assert (found.variant, found.proven) == ("a", False)
    assert "Not proven" in found.answer
    assert any("fewer than 5 results" in note and "'b'" in note for note in found.notes)
    assert not best(project, "prompt").proven


def test_a_proven_winner_with_too_few_runs_is_not_named(project: Project) -> None:
    """`minimum_runs` holds for everybody."""
    win(project)
    none = best(project, "prompt", minimum_runs=61)
    assert (none.variant, none.proven, none.config, none.config_hash) == ("", False, {}, "")
    assert "none has 61 results" in none.answer


def test_a_control_that_its_challengers_cannot_beat_is_the_best(project: Project) -> None:
    """The verdict "worse" is about the challengers: it proves the control."""
    of = world.variants("a", "b", a={"control": True})
    world.create(project, of=of)
    world.work(project, 120, lambda name, index: float(name == "a" or index % 5 == 0))
    found = best(project, "prompt")
    assert found.verdict is not None
    assert (found.verdict.outcome, found.variant, found.proven) == ("worse", "a", True)


def test_a_breached_guardrail_withholds_the_proof(project: Project) -> None:
    """A winner that harms what is guarded leads at most, and the answer says why."""
    rail = GuardrailInput(name="cost", direction="lower", range=(0, 10), margin=1)
    world.create(project, guardrails=[rail])
    world.work(
        project,
        120,
        lambda name, index: RunInput(
            metrics={"passed": float(name == "b" or index % 5 == 0), "cost": 9.0 if name == "b" else 1.0}
        ),
    )
    found = best(project, "prompt")
    assert found.verdict is not None
    assert (found.verdict.outcome, found.proven) == ("invalid", False)
    assert "invalid" in found.answer and "'cost'" in found.answer


def test_a_tie_is_said(project: Project) -> None:
    """Of three that are level the first stands for all, unproven, and a note says that they are level."""
    world.create(project, of=world.variants("a", "b", "c"))
    world.upload(project, {name: [1.0, 0.0, 1.0] for name in "abc"})
    found = best(project, "prompt")
    assert (found.variant, found.proven) == ("a", False)
    assert any("3 variants are level ('a', 'b', 'c')" in note for note in found.notes)


def test_a_leader_of_all_runs_is_not_said_to_lead_within_blocks(project: Project) -> None:
    """Where the judge sees another one ahead, the answer does not call both of them the leader."""
    world.create(project, metric=RATING)
    world.work(
        project, 20, lambda name, index: (0.5 if name == "a" else 0.4) + index % 3 / 100, metric="rating"
    )
    record(project, "b", times=10, metrics={"rating": 1.0})
    found = best(project, "prompt")
    assert found.verdict is not None
    assert (found.variant, found.verdict.leader, found.proven) == ("b", "a", False)
    assert "'b' has the best shrunk mean so far" in found.answer and "'b' leads" not in found.answer


def test_negative_scores_and_lower_is_better_are_ranked_the_right_way(project: Project) -> None:
    """All scores below 0 have a best, and a latency of 100 beats one of 900."""
    world.create(project, metric=MetricInput(name="score", direction="higher"))
    world.upload(project, {"a": [-5.0, -6.0, -5.5], "b": [-2.0, -1.0, -1.5]}, metric="score")
    assert best(project, "prompt").variant == "b"
    world.create(project, name="latency", metric=world.SECONDS)
    rows = [
        RunInput(unit=f"{name}{index}", variant=name, metrics={"seconds": value + index})
        for name, value in (("a", 900.0), ("b", 100.0))
        for index in range(3)
    ]
    world.record(project, *rows, experiment="latency")
    assert best(project, "latency").variant == "b"


def test_no_runs_and_failures_alone_are_an_answer(project: Project) -> None:
    """An empty experiment and one in which everything failed have no best and say why, in every format."""
    world.create(project)
    for metric in ("", "success", "duration_ms"):
        found = best(project, "prompt", metric=metric)
        assert (found.variant, found.runs) == ("", 0)
        assert "no run has been recorded" in found.answer
    record(project, "a", times=3, status="failed", failure_mode="crash")
    record(project, "b", times=2, status="timeout")
    found = best(project, "prompt")
    assert (found.variant, found.proven) == ("", False)
    assert "no run was completed (runs: 5)" in found.answer
    assert (found.statuses, found.failure_modes) == ({"failed": 3, "timeout": 2}, {"crash": 3})
    for format_ in ("json", "env", "yaml", "markdown"):
        answer = exporting.export(project, experiment="prompt", format=format_)
        assert "no run was completed" in answer.text


def test_a_variant_that_never_delivered_is_never_best(project: Project) -> None:
    """Failures count as the worst result, and no number of them makes a best."""
    world.create(project)
    record(project, "a", times=30, status="failed")
    record(project, "b", times=1, metrics={"passed": 0.0})
    assert best(project, "prompt").variant == "b"


def test_unknown_experiments_and_metrics_are_named(project: Project) -> None:
    """The refusals say what there is."""
    world.create(project)
    record(project, "a", metrics={"passed": 1.0, "size": 3.0})
    with pytest.raises(UnknownExperiment, match="prompt"):
        best(project, "promt")
    with pytest.raises(InvalidArgument, match="'passed', 'size'"):
        best(project, "prompt", metric="sizes")
    with pytest.raises(InvalidArgument, match="no run has recorded 'cost'"):
        best(project, "prompt", metric="cost")


# --- by another metric ----------------------------------------------------------------------------


def test_the_fastest_and_the_cheapest_are_judged_too(project: Project) -> None:
    """Duration and cost have a verdict of their own in the same blocks, marked as exploratory."""
    win(project)
    for metric, unit in (("duration_ms", 403.0), ("cost", 0.375)):
        found = best(project, "prompt", metric=metric)
        assert (found.variant, found.proven, found.exploratory, found.direction) == ("a", True, True, "lower")
        assert found.verdict is not None and found.verdict.unit == "blocks"
        assert found.mean is not None and found.mean < unit
        assert any("nothing is corrected" in note for note in found.notes)
        assert "does not decide" in found.answer
        assert "adopt" not in found.verdict.next_step and "new experiment" in found.verdict.next_step
    assert best(project, "prompt").variant == "b"


def test_success_counts_failures_and_not_infrastructure(project: Project) -> None:
    """Completed is 1, failed and timed out 0, anything else missing; the verdict is that of a binary metric."""
    world.create(project, metric=RATING)
    chosen = world.work(
        project,
        120,
        lambda name, index: RunInput(
            status="failed" if name == "a" and index % 4 else "timeout" if index % 20 == 0 else "completed",
            metrics={"rating": 0.5},
        ),
    )
    record(project, "b", times=2, status="infrastructure")
    answer = results(project, experiment="prompt", metric="success")
    assert answer.verdict is not None
    assert (answer.exploratory, answer.verdict.outcome, answer.verdict.leader) == (True, "better", "b")
    rows = {row.name: row for row in answer.leaderboard}
    late = sum(chosen[index].variant == "b" for index in range(0, 120, 20))
    assert rows["b"].mean == pytest.approx(1 - late / 60)
    assert (rows["b"].n, rows["b"].missing) == (60, 2)
    found = best(project, "prompt", metric="success")
    assert (found.variant, found.proven, found.direction) == ("b", True, "higher")


def test_components_and_guardrails_have_a_verdict_in_their_range(project: Project) -> None:
    """What was declared with a direction is judged as if it decided; the deciding verdict is not touched."""
    parts = (
        Component(name="ok", direction="higher", kind="binary", weight=3),
        Component(name="stars", direction="higher", range=(1, 5)),
    )
    rail = GuardrailInput(name="seconds", direction="lower", range=(0, 10), margin=1)
    world.create(project, metric=MetricInput(components=parts), guardrails=[rail])
    world.work(
        project,
        160,
        lambda name, index: RunInput(
            metrics={"ok": float(index % 2), "stars": 5.0 if name == "b" else 1.0 + index % 2, "seconds": 5.0}
        ),
    )
    stars = results(project, experiment="prompt", metric="stars")
    assert stars.verdict is not None
    assert (stars.verdict.outcome, stars.verdict.leader, stars.verdict.asymptotic) == ("better", "b", False)
    first, second = [row.mean for row in stars.leaderboard]
    assert first == 5.0 and second is not None and 1 < second < 2
    seconds = results(project, experiment="prompt", metric="seconds")
    assert seconds.verdict is not None
    assert seconds.verdict.outcome not in ("better", "worse")
    assert {guard.metric for guard in seconds.guardrails} == {"seconds"}
    deciding = results(project, experiment="prompt")
    assert not deciding.exploratory and deciding.verdict is not None
    assert not any("nothing is corrected" in note for note in deciding.notes)


def test_survivors_do_not_win_by_another_metric(project: Project) -> None:
    """Where one variant loses its runs, the speed of the few that came back is no victory."""
    world.create(project)
    for index in range(30):
        record(project, "a", before=f"{index}", metrics={"passed": 1.0}, duration_ms=200.0 + index % 3)
        lost = index % 6 != 0
        record(
            project, "b", before=f"{index}", metrics={} if lost else {"passed": 1.0},
            status="failed" if lost else "completed", duration_ms=0.0 if lost else 10.0,
        )  # fmt: skip
    found = best(project, "prompt", metric="duration_ms")
    assert not found.proven
    assert found.verdict is not None and found.verdict.outcome == "invalid"


def test_a_metric_of_unknown_direction_has_no_best(project: Project) -> None:
    """What nobody declared is summarised, and the answer says what to declare."""
    world.create(project)
    world.upload(project, {"a": [1.0, 0.0], "b": [1.0, 1.0]})
    record(project, "a", before="x", times=2, metrics={"passed": 1.0, "bytes": 3.0})
    found = best(project, "prompt", metric="bytes")
    assert (found.variant, found.verdict, found.direction) == ("", None, "unknown")
    assert "never declared" in found.answer
    assert found.alternatives[0].mean == 3.0


def test_a_recorded_success_is_that_number(project: Project) -> None:
    """Who records "success" means it, even as a share; more of it is better."""
    world.create(project)
    record(project, "a", times=3, metrics={"passed": 1.0, "success": 0.5})
    record(project, "b", times=3, metrics={"passed": 1.0, "success": 0.75})
    found = best(project, "prompt", metric="success")
    assert (found.variant, found.mean, found.proven) == ("b", 0.75, False)


@pytest.mark.parametrize("value", [1.0, 0.75])
def test_failed_runs_count_against_a_recorded_success(project: Project, value: float) -> None:
    """A run that failed could not record its success: it counts as none, and not as missing."""
    world.create(project)
    record(project, "a", times=4, metrics={"passed": 1.0, "success": value})
    record(project, "a", before="x", times=4, status="failed")
    record(project, "b", times=8, metrics={"passed": 1.0, "success": value})
    rows = {row.name: row for row in best(project, "prompt", metric="success").alternatives}
    assert (rows["a"].mean, rows["a"].n, rows["a"].missing) == (value / 2, 8, 0)
    assert rows["b"].mean == value and rows["b"].high is not None and rows["b"].high <= 1


# --- as text, and into a file ---------------------------------------------------------------------


CONFIG: Mapping[str, Any] = {"a.b": "no", "a_b": [1, None], "deep": {"er": "x\nPATH=/evil"}, "1": {}}


def _asked(project: Project) -> None:
    variants = [VariantInput(name="x|`y`", config=dict(CONFIG)), VariantInput(name="z", config={"q": 1})]
    world.create(project, of=variants)
    world.upload(project, {"x|`y`": [1.0, 1.0], "z": [0.0, 0.0]})


def export(project: Project, **arguments: Any) -> BestExported:
    """Export the best of the experiment."""
    return exporting.export(project, experiment="prompt", **arguments)


def test_every_format_carries_the_recorded_configuration(project: Project) -> None:
    """What went through the store comes out as it went in."""
    _asked(project)
    assert as_json.parse(export(project).text) == CONFIG
    assert as_yaml.parse(export(project, format="yaml").text) == CONFIG
    assert dotenv.parse(export(project, format="env").text) == CONFIG
    assert dotenv.parse(export(project, format="env", prefix="APP_").text, "APP_") == CONFIG
    report = export(project, format="markdown")
    assert (report.variant, report.proven, report.outcome) == ("x|`y`", False, "insufficient")
    assert "not proven" in report.text


def test_a_file_is_written_whole_and_only_over_an_earlier_export(project: Project, tmp_path: Path) -> None:
    """The second export replaces the first; what anybody else wrote stays, whatever it is."""
    _asked(project)
    for format_ in ("json", "env", "yaml", "markdown", "chain"):
        for _ in range(2):
            answer = exporting.export(
                project,
                experiment="" if format_ == "chain" else "prompt",
                format=format_,
                path=f"out/best.{format_}",
            )
            assert answer.path == f"out/best.{format_}"
            assert (tmp_path / answer.path).read_bytes() == answer.text.encode()
    theirs = tmp_path / ".env"
    theirs.write_text("SECRET=1\n")
    with pytest.raises(FilesRefused, match="no export has written this file"):
        export(project, format="env", path=".env")
    assert theirs.read_text() == "SECRET=1\n"
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == sorted(
        f"best.{one}" for one in ("json", "env", "yaml", "markdown", "chain")
    )


def test_an_experiment_without_a_best_leaves_the_earlier_configuration(
    project: Project, tmp_path: Path
) -> None:
    """A program that reads the file does not lose its configuration; a report of nothing is still a report."""
    world.create(project)
    for format_ in ("json", "env", "yaml"):
        (tmp_path / "best").write_text("# Exported by vettle: earlier\n")
        answer = export(project, format=format_, path="best")
        assert (answer.path, answer.variant) == ("", "") and answer.text
        assert "No file was written" in answer.notes[0]
        assert (tmp_path / "best").read_text() == "# Exported by vettle: earlier\n"
    assert export(project, format="markdown", path="best").path == "best"


def test_no_export_is_written_where_it_does_not_belong(project: Project, tmp_path: Path) -> None:
    """The folders of git and of vettle, folders, links and places outside the project are refused."""
    _asked(project)
    (tmp_path / "folder").mkdir()
    (tmp_path / "real.json").write_text(export(project).text)
    (tmp_path / "link.json").symlink_to("real.json")
    (tmp_path / "git").symlink_to(".git", target_is_directory=True)
    (tmp_path / ".git").mkdir()
    for path in (
        ".git/config",
        ".GIT/hooks/pre-commit",
        ".vettle/lock.json",
        "git/x",
        "folder",
        "link.json",
        ".",
    ):
        with pytest.raises(FilesRefused):
            export(project, path=path)
    with pytest.raises(InvalidArgument, match="outside the project"):
        export(project, path="../best.json")
    assert list((tmp_path / ".git").iterdir()) == []


def test_arguments_that_do_not_fit_are_refused(project: Project) -> None:
    """A format that is none, a prefix without names and a missing experiment are refused by name."""
    _asked(project)
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"format": "toml"}, "format: no format 'toml'. Formats: json, env, yaml, markdown, chain"),
        ({"prefix": "A_"}, "prefix"),
        ({"context": "x"}, "context"),
        ({"experiment": ""}, "experiment: it is missing"),
        ({"format": "chain"}, "names no variable"),
        ({"format": "chain", "metric": "cost"}, "metric"),
    )
    for arguments, words in cases:
        with pytest.raises(InvalidArgument) as error:
            exporting.export(project, **{"experiment": "prompt", **arguments})
        assert words in str(error.value)


def test_a_text_too_long_for_a_reply_is_left_out_and_said(project: Project) -> None:
    """The answer fits, and says where the text is or how to get it."""
    world.create(project, of=[VariantInput(name=name, config={"p": name * 5_000}) for name in "ab"])
    world.upload(project, {"a": [1.0, 1.0], "b": [0.0, 0.0]})
    answer = export(project, characters=5_000)
    assert (answer.text, len(answer.model_dump_json()) < 5_000) == ("", True)
    assert "pass path" in answer.notes[0]
    answer = export(project, characters=5_000, path="best.json")
    assert "it is in best.json" in answer.notes[0]


def test_fallback_chains_are_those_of_the_ranking(project: Project) -> None:
    """A chain is read as JSON: the order of the values of a variable in each context, and by default."""
    of = [VariantInput(name=name, config={"model": name}) for name in ("small", "large")]
    world.create(project, of=of, variable="model", context="docs")
    world.upload(project, {"small": [0.0] * 20, "large": [1.0] * 20})
    for experiment in ("", "prompt"):
        answer = exporting.export(project, experiment=experiment, format="chain")
        chain = as_json.loads(answer.text)
        assert chain["contexts"]["docs"] == ["large", "small"]
        assert chain["default"] == ["large", "small"]
        assert (answer.variant, answer.proven, answer.outcome) == ("", False, "")
