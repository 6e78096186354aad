"""Overviews of projects for the tests of everything that shows one: empty, small, rich, hostile, enormous."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import Any, Literal, cast, get_args, get_origin

from tests.renderers.report import experiments_made, rules_made

from vettle.engine.records.base import Record
from vettle.engine.records.overview import Overview, RuleTokens, Work

NOW = datetime(2026, 11, 21, 16, 30, tzinfo=UTC)


def empty() -> Overview:
    """Return the overview of a project in which nothing has happened."""
    return Overview(
        title="parcel-tracker",
        made=NOW,
        version="0.1.0",
        period="90d",
        answers=["Nothing is recorded yet."],
        status=rules_made.status(
            {}, 0, "Add candidate rules: vettle init imports those in your files, rule_add adds one."
        ),
        work=Work(interval="day", periods=[], started=0, scored=0, pace=None),
        proven=[],
        trial=[],
        retired=[],
        mistakes=rules_made.no_mistakes(),
        rewards=rules_made.no_rewards(),
        experiments=[],
        costs=rules_made.costs([], 0, 0.0),
        tokens=RuleTokens(
            rendered=0, rendered_rules=0, trial=None, retired=0, retired_rules=0, saved=0, candidates=0
        ),
        decisions=[],
    )


def small() -> Overview:
    """Return the overview of a first week: rules on trial, a few sessions, nothing proven, no experiment."""
    work = rules_made.work(NOW, 2, Random(3))
    return empty().model_copy(
        update={
            "answers": [
                "Nothing is proven yet: 6 rules are on trial.",
                "The nearest proof may come in about 9 days.",
            ],
            "status": rules_made.status(
                {"trial": 6}, work.scored, "Keep working: the rules need more sessions."
            ),
            "work": work,
            "trial": rules_made.trial(NOW),
            "rewards": rules_made.rewards(),
            "tokens": RuleTokens(
                rendered=0, rendered_rules=0, trial=44.0, retired=0, retired_rules=0, saved=0, candidates=96
            ),
        }
    )


def rich() -> Overview:
    """Return the overview of a project that has everything, with numbers such as real ones."""
    generator = Random(20_261_121)
    work = rules_made.work(NOW, 12, generator)
    starts = [period.start for period in work.periods]
    waiting = ["import-from-wiki-83b1aa", "always-trust-the-5f00ce"]
    counts = {"proven": 3, "pinned": 1, "trial": 18, "retired": 16, "quarantined": 2}
    return Overview(
        title="parcel-tracker",
        made=NOW,
        version="0.1.0",
        period="90d",
        answers=[
            "Three rules are proven to make your agents better; the strongest adds 14 points to the session score.",
            "The repeat rate of mistakes is falling: from 42 % to 18 % in twelve weeks.",
            "One experiment has a winner: use the short prompt.",
        ],
        status=rules_made.status(counts, work.scored, "2 rules need a person: rule_decide approve or reject.", waiting),
        work=work,
        proven=rules_made.proven(NOW),
        trial=rules_made.trial(NOW),
        more_trial=12,
        retired=rules_made.retired(NOW),
        more_retired=13,
        quarantined=waiting,
        discoveries=["proven-0-4f2a10", "proven-1-4f2a11"],
        mistakes=rules_made.mistakes(starts, generator),
        rewards=rules_made.rewards(),
        experiments=experiments_made.three(NOW, generator),
        more_experiments=2,
        models=experiments_made.models(NOW),
        costs=rules_made.costs(starts),
        tokens=RuleTokens(
            rendered=71,
            rendered_rules=4,
            trial=61.5,
            retired=380,
            retired_rules=16,
            saved=48_900,
            candidates=912,
        ),
        decisions=rules_made.decisions(NOW),
        notes=["Sessions that were imported have no coin flips, so they prove nothing about rules."],
    )  # fmt: skip


def hostile(text: str) -> Overview:
    """Return the rich overview with `text` in the place of every string that somebody may have written."""
    return cast(Overview, _poisoned(rich(), text))


def enormous() -> Overview:
    """Return a project of 5,000 rules with long texts and 200 experiments of 100 variants, nothing cut."""
    generator = Random(5)
    base = rich()
    long = 'Every file that is longer than it should be is split, "and" <that> & more is done. ' * 5

    def rules(status: str, count: int) -> list[Any]:
        model = {"proven": base.proven, "trial": base.trial, "retired": base.retired}[status]
        made = []
        for number in range(count):
            one = model[number % len(model)]
            rule = one.rule.model_copy(update={"id": f"{status}-{number:04}-{'x' * 40}", "text": long[:400]})
            made.append(one.model_copy(update={"rule": rule}))
        return made

    names = [f"variant {number:03} with a rather long & descriptive name" for number in range(100)]
    values: list[str | float] = [f"value {number} of the dimension" for number in range(40)]
    model = experiments_made.standing(
        "a sweep over everything",
        names,
        NOW,
        generator,
        said=experiments_made.verdict("insufficient", names, 31, [long] * 5, long),
        periods=200,
        grids=[experiments_made.grid("rows", values, "columns", values)] * 6,
    )
    experiments = [
        model.model_copy(update={"results": model.results.model_copy(update={"name": f"sweep {number:03}"})})
        for number in range(200)
    ]
    counts = {"proven": 1_000, "trial": 2_900, "retired": 1_000, "quarantined": 100}
    work = rules_made.work(NOW, 520, generator)
    models = experiments_made.models(NOW)
    ranking = models.contexts[0].model_copy(
        update={
            "variants": [
                experiments_made.ranked(f"model {number:03}", 0.3 + 0.006 * number, 0.01 * (number + 1), NOW)
                for number in range(100)
            ],
            "chain": [f"model {number:03}" for number in range(100)],
        }
    )
    return base.model_copy(
        update={
            "answers": [long] * 3,
            "status": base.status.model_copy(update={"rules": counts}),
            "work": work,
            "proven": rules("proven", 1_000),
            "trial": rules("trial", 2_900),
            "retired": rules("retired", 1_000),
            "quarantined": [f"quarantined-{number}" for number in range(100)],
            "mistakes": rules_made.mistakes([period.start for period in work.periods], generator).model_copy(
                update={"recurring": base.mistakes.recurring * 300, "by_class": base.mistakes.by_class * 100}
            ),
            "experiments": experiments,
            "models": models.model_copy(
                update={"contexts": [ranking] * 50, "default": models.default * 100}
            ),
            "decisions": base.decisions * 500,
            "notes": [long] * 200,
        }
    )  # fmt: skip


def _poisoned(value: Any, text: str) -> Any:
    """Return a record, list, mapping or value with every free string replaced, and closed words kept."""
    if isinstance(value, Record):
        fields = type(value).model_fields
        changed = {
            name: own if _closed(fields[name].annotation) else _poisoned(own, text) for name, own in value
        }
        return value.model_copy(update=changed)
    if isinstance(value, str):
        return text
    if isinstance(value, list | tuple):
        return type(value)(_poisoned(entry, text) for entry in value)
    if isinstance(value, dict):
        return {text + " " * number: _poisoned(entry, text) for number, entry in enumerate(value.values())}
    return value


def _closed(annotation: Any) -> bool:
    """Tell whether a field takes words of a closed list, as its value or as its keys."""
    if get_origin(annotation) is Literal:
        return True
    if get_origin(annotation) is dict:
        return _closed(get_args(annotation)[0])
    return False


def with_numbers(overview: Overview, number: float) -> Overview:
    """Return an overview in which every number that may have any value is `number`, such as NaN."""
    return cast(Overview, _numbered(overview, number))


def _numbered(value: Any, number: float) -> Any:
    if isinstance(value, Record):
        return value.model_copy(update={name: _numbered(own, number) for name, own in value})
    if isinstance(value, float):
        return number
    if isinstance(value, list):
        return [_numbered(entry, number) for entry in value]
    return value
