"""Put the page together from what the other parts of the engine know."""

from __future__ import annotations

from importlib.metadata import version

from vettle.engine import overall, reports
from vettle.engine.analysis import costs
from vettle.engine.clock import moment
from vettle.engine.overview import answers, decisions, experiments, rules, tokens, work
from vettle.engine.project import Project
from vettle.engine.ranking import ranks
from vettle.engine.records.overview import Overview
from vettle.engine.records.ranking import VariantsRanked

_MODELS_PER_CONTEXT = 20


def gather(
    project: Project, *, period: str = "90d", around: reports.Surroundings = reports.NOTHING_AROUND
) -> Overview:
    """Return the page about a period ("90d", or "all").

    Sessions, mistakes, rewards and costs are those of the period; rules, experiments, models and decisions are as
    they stand now, whenever they came about. `around` is what only others can see (see `reports.status`).
    """
    mistakes = reports.report(project, kind="mistakes", period=period).mistakes
    rewards = reports.report(project, kind="rewards", period=period).rewards
    assert mistakes is not None and rewards is not None
    status = overall.status(project, around=around)
    sessions = work.over_time(project, period, status.sessions_per_day)
    found = rules.standings(project)
    judged = experiments.standings(project)
    page = Overview(
        title=project.root.name,
        made=moment(project.clock()),
        version=version("vettle"),
        period=period,
        answers=[],
        status=status,
        work=sessions,
        proven=found.proven,
        trial=found.trial,
        more_trial=found.more_trial,
        retired=found.retired,
        more_retired=found.more_retired,
        quarantined=found.quarantined,
        discoveries=found.discoveries,
        mistakes=mistakes,
        rewards=rewards,
        experiments=judged.shown,
        more_experiments=judged.more,
        models=_models(project),
        costs=costs.costs(project, period=period),
        tokens=tokens.of_rules(project),
        decisions=decisions.taken(project),
        notes=judged.notes,
    )
    return page.model_copy(update={"answers": answers.of(page)})


def _models(project: Project) -> VariantsRanked | None:
    ranked = ranks.rank(project)
    return ranks.brief(ranked, _MODELS_PER_CONTEXT) if ranked.results else None
