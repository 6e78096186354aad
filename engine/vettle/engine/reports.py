"""What happened: sessions, mistakes, rewards and rules of a period, from aggregates and not from history."""

from __future__ import annotations

from collections import Counter, defaultdict
from importlib.metadata import version
from typing import NamedTuple, cast

from vettle.engine import lifecycle, mistakes, paging, standings
from vettle.engine.analysis import failures, recurrence, spans, trends
from vettle.engine.clock import SECOND
from vettle.engine.errors import InvalidArgument
from vettle.engine.project import RENDERED_FILES, Project
from vettle.engine.records import (
    Mean,
    MistakeClass,
    MistakesReport,
    Record,
    Report,
    ReportKind,
    RewardsReport,
    RulesReport,
    SessionsReport,
    SessionSummary,
    Severity,
    Status,
)
from vettle.engine.records.evidence import Evidence
from vettle.engine.records.ranking import VariantsRanked
from vettle.engine.records.reports import CostsReport
from vettle.engine.store import Transaction, events
from vettle.engine.store import experiments as experiments_table
from vettle.engine.store import mistakes as mistakes_table
from vettle.engine.store import rules as rules_table
from vettle.engine.store import sessions as sessions_table
from vettle.engine.store.folds import day
from vettle.engine.store.moments import Moments, stats
from vettle.engine.store.schema import SCHEMA_VERSION
from vettle.engine.store.sessions import Session
from vettle.engine.wording import counted

_MOST_GROUPS = 20
_OPEN_CHARACTERS = 6_000
_RECENT_DECISIONS = 200
_MOST_FAILURES = 5


def report(
    project: Project,
    *,
    kind: ReportKind,
    context: str = "",
    session_id: str = "",
    period: str = "30d",
    limit: int = 20,
    cursor: str = "",
    detailed: bool = False,
) -> Report:
    """Report on one kind of thing over a period ("30d" is the last 30 days, "all" is everything).

    `context` narrows sessions, rules, models, costs and evidence. `session_id` reports that one session (kind sessions only).
    Lists are paged with `limit` and `cursor`.

    Raises:
        UnknownSession: No session has this id.
        InvalidArgument: The cursor is not one that a report gave, or `session_id` goes with another kind.
    """
    if session_id and kind != "sessions":
        raise InvalidArgument(
            "session_id", "it goes with kind sessions", "Leave it out, or ask for kind sessions"
        )
    empty = Report(kind=kind, period=period, context=context)
    if kind == "rules":
        return _rules(project, empty, limit, cursor, detailed)
    if kind in ("models", "costs", "evidence"):
        return empty.model_copy(update={kind: _analysed(project, empty, limit)})
    with project.read() as transaction:
        since = spans.first_moment(transaction, period)
        part: Record
        if kind == "mistakes":
            part = _mistakes(transaction, since)
        elif kind == "rewards":
            part = _rewards(transaction, since)
        elif session_id:
            part = _one_session(project, transaction, session_id)
        else:
            part = _sessions(project, transaction, context, since, limit, cursor)
    return empty.model_copy(update={kind: part})


def _analysed(project: Project, empty: Report, limit: int) -> VariantsRanked | CostsReport | Evidence:
    # Imported here because judging needs numpy, which a server loads only after the handshake.
    from vettle.engine.analysis import costs, evidence
    from vettle.engine.ranking import ranks

    if empty.kind == "models":
        return ranks.brief(ranks.rank(project, context=empty.context, period=empty.period), limit)
    if empty.kind == "costs":
        return costs.costs(project, context=empty.context, period=empty.period)
    return evidence.summary(project, context=empty.context, limit=limit)


def _rules(project: Project, empty: Report, limit: int, cursor: str, detailed: bool) -> Report:
    page = standings.page(project, context=empty.context, limit=limit, cursor=cursor, detailed=detailed)
    with project.read() as transaction:
        by_status = rules_table.count_by_status(transaction)
    part = RulesReport(
        by_status=by_status,
        discoveries=page.discoveries,
        rules=page.rules,
        next_cursor=page.next_cursor,
    )
    return empty.model_copy(update={"rules": part, "note": page.note})


def _mean(moments: Moments) -> Mean:
    return Mean(n=round(moments.n), mean=round(moments.mean, 4) if moments.n else None)


def _largest(groups: dict[str, Moments]) -> list[tuple[str, Moments]]:
    """Return the groups of most observations, at most 20."""
    return sorted(groups.items(), key=lambda item: (-item[1].n, item[0]))[:_MOST_GROUPS]


def _first_day(since: int) -> str:
    return day(since) if since > 0 else ""


def summary(project: Project, session: Session) -> SessionSummary:
    """Return a session as lists show it, with the score it would get now if it has none yet."""
    return session.summary.model_copy(update={"score": lifecycle.preview(project, session)})


def _one_session(project: Project, transaction: Transaction, session_id: str) -> SessionsReport:
    session = lifecycle.require(transaction, session_id)
    score = Mean(n=int(session.score is not None), mean=session.score)
    return SessionsReport(
        by_state={session.state: 1},
        score=score,
        by_context={session.context: score},
        mistakes_per_session=float(session.mistakes),
        sessions=[summary(project, session)],
    )


def _sessions(
    project: Project, transaction: Transaction, context: str, since: int, limit: int, cursor: str
) -> SessionsReport:
    totals: dict[str, Moments] = defaultdict(Moments)
    scores: dict[str, Moments] = defaultdict(Moments)
    for stat in stats(transaction, "session", since=_first_day(since)):
        if context in ("", stat.b):
            totals[stat.metric] += stat.moments
            if stat.metric == "score":
                scores[stat.b] += stat.moments
    by_state = {
        "started": round(totals["started"].n),
        "scored": round(totals["score"].n),
        "abandoned": round(totals["abandoned"].n),
        "unrewarded": round(totals["unrewarded"].n),
    }
    listed, next_cursor = _page(project, transaction, context, since, limit, cursor)
    return SessionsReport(
        by_state=by_state,
        score=_mean(totals["score"]),
        by_context={name: _mean(moments) for name, moments in _largest(scores)},
        mistakes_per_session=_mean(totals["mistakes"]).mean,
        sessions=listed,
        next_cursor=next_cursor,
    )


def _page(
    project: Project, transaction: Transaction, context: str, since: int, limit: int, cursor: str
) -> tuple[list[SessionSummary], str]:
    started, _, session_id = cursor.partition(":")
    before = (paging.number(started), session_id) if cursor else None
    found = sessions_table.newest_first(
        transaction, context=context, since=since, before=before, limit=limit + 1
    )
    rows = paging.fit([summary(project, session) for session in found[:limit]])
    last = found[len(rows) - 1] if len(rows) < len(found) else None
    return rows, f"{last.started}:{last.id}" if last else ""


def _mistakes(transaction: Transaction, since: int) -> MistakesReport:
    by_class: dict[str, Moments] = defaultdict(Moments)
    by_day: dict[str, Moments] = defaultdict(Moments)
    for stat in stats(transaction, "mistake", since=_first_day(since)):
        by_class[stat.b] += stat.moments
        by_day[stat.a] += stat.moments
    severities: Counter[Severity] = Counter()
    for stat in stats(transaction, "severity", since=_first_day(since)):
        severities[cast(Severity, stat.b)] += round(stat.moments.n)
    every = sum(by_class.values(), Moments())
    return MistakesReport(
        total=round(every.n),
        repeats=round(every.total),
        repeat_rate=_mean(every).mean,
        by_class=[
            MistakeClass(
                error_class=name,
                count=round(moments.n),
                repeats=round(moments.total),
                repeat_rate=round(moments.mean, 4),
            )
            for name, moments in _largest(by_class)
        ],
        recurring=[mistakes.past(mistake) for mistake in mistakes_table.recurring(transaction, limit=10)],
        severities=dict(severities.most_common()),
        trend=trends.trend(
            {name: (round(own.n), round(own.total)) for name, own in by_day.items()},
            recurrence.known_before(transaction, since),
        ),
        failures=failures.recent(transaction, since, _MOST_FAILURES),
    )


def _rewards(transaction: Transaction, since: int) -> RewardsReport:
    by_outcome: dict[str, Moments] = defaultdict(Moments)
    by_source: dict[str, Moments] = defaultdict(Moments)
    for stat in stats(transaction, "reward", since=_first_day(since)):
        by_outcome[stat.b] += stat.moments
        by_source[stat.metric] += stat.moments
    every = sum(by_outcome.values(), Moments())
    return RewardsReport(
        total=round(every.n),
        mean=_mean(every).mean,
        by_outcome={name: round(moments.n) for name, moments in sorted(by_outcome.items())},
        by_source={name: _mean(moments) for name, moments in sorted(by_source.items())},
    )


class Blocked(NamedTuple):
    """Why rule files cannot be brought up to date, as a warning, and the step that ends it."""

    what: str
    step: str


class Surroundings(NamedTuple):
    """What the engine cannot see for itself, and those who see it tell: of rule files, and of what hooks wait for.

    `by_tests` are the ids of ended sessions that their own tests will reward, if nobody does before.
    """

    blocked: Blocked | None = None
    by_tests: frozenset[str] = frozenset()


NOTHING_AROUND = Surroundings()


def status(project: Project, *, around: Surroundings = NOTHING_AROUND) -> Status:
    """Tell what is going on in the project, what needs a person, and what to do next.

    An ended session that its tests will reward asks nobody for anything.
    """
    with project.read() as transaction:
        totals = {stat.b: round(stat.moments.n) for stat in stats(transaction, "total")}
        by_status = rules_table.count_by_status(transaction)
        opened = sessions_table.in_state(transaction, "open", limit=10)
        counts = {
            "open": sessions_table.count_in_state(transaction, "open"),
            "ended": sessions_table.count_in_state(transaction, "ended"),
            "scored": totals.get("session_scored", 0),
            "abandoned": totals.get("abandoned", 0),
            "unrewarded": totals.get("unrewarded", 0),
            "imported": totals.get("session_imported", 0),
        }
        waiting = [rule.id for rule in rules_table.with_status(transaction, ("quarantined",))]
        ended = [session.id for session in sessions_table.in_state(transaction, "ended")]
        forgotten = lifecycle.forgotten(project, transaction, "open")
        silent = [session.id for session in forgotten if session.outcome is None]
        experiments = experiments_table.count_by_state(transaction)
        proven, step = _about_experiments(transaction, experiments)
        due = _rendering_is_due(project, transaction, by_status)
        open_sessions = paging.fit([summary(project, session) for session in opened], _OPEN_CHARACTERS)
    return Status(
        project=str(project.root),
        store=project.location
        if project.exists
        else f"{project.location} (made by the first call that records)",
        version=version("vettle"),
        schema_version=SCHEMA_VERSION,
        rules=by_status,
        sessions=counts,
        judged_by_tests=len(around.by_tests & set(ended)),
        experiments=experiments,
        proven_experiment=proven,
        mistakes=totals.get("mistake_logged", 0),
        rewards=totals.get("reward_logged", 0),
        open_sessions=open_sessions,
        needs_person=waiting[:20],
        warnings=[
            *([around.blocked.what] if around.blocked else []),
            *_first_time(project, totals),
            *_warnings(counts, silent),
        ],
        next_step=_next_step(
            by_status,
            counts,
            waiting,
            step if proven or not by_status else "",
            [session_id for session_id in ended if session_id not in around.by_tests],
            silent,
            due=due,
            blocked=around.blocked,
        ),
    )


def _about_experiments(transaction: Transaction, by_state: dict[str, int]) -> tuple[str, str]:
    """Return what an experiment has proven that waits for a decision, "" if none does, and what to do about experiments."""
    if not by_state:
        return "", ""
    # Imported here because a project without experiments need not wait for it.
    from vettle.engine.experiments import next_steps

    found = next_steps.proven(transaction)
    return (found.finding, found.next_step) if found else ("", next_steps.under_way(transaction))


def _rendering_is_due(project: Project, transaction: Transaction, by_status: dict[str, int]) -> bool:
    """Tell whether what is proven or pinned changed since the rule files were written last, as far as can be told here.

    Whether the files still say so, and whether there are others to write, only rendering can tell.
    """
    try:
        written = (project.state_folder / RENDERED_FILES).stat().st_mtime
    except OSError:
        return any(by_status.get(status) for status in standings.RENDERED)
    decided = next(
        (
            event.ts
            for event in events.newest(transaction, "rule_decided", limit=_RECENT_DECISIONS)
            if {event.data["old"], event.data["new"]} & {"proven", "pinned"}
        ),
        0,
    )
    return decided >= written * SECOND


def _first_time(project: Project, totals: dict[str, int]) -> list[str]:
    """Say that nothing is there yet under a name of a shared database, which may be misspelt."""
    if not project.shared or totals:
        return []
    said = (
        f"Nothing is recorded yet in {project.location}. If it should be, check the name: "
        "VETTLE_DATABASE_PROJECT, or [database] project in .vettle/config.toml."
    )
    return [said]


def _warnings(counts: dict[str, int], silent: list[str]) -> list[str]:
    found = []
    lost = counts["abandoned"] + counts["unrewarded"]
    if lost > counts["scored"]:
        found.append(
            f"{counted(lost, 'session')} gave no evidence ({counts['abandoned']} abandoned, {counts['unrewarded']} unrewarded), "
            f"more than the {counts['scored']} that did: call session_end with an outcome."
        )
    if silent:
        found.append(
            f"{counted(len(silent), 'open session')} without a reward fell silent; the next session_start closes what "
            f"nobody ends before as abandoned. {_say_what_came_of(silent[0])}"
        )
    return found


def _say_what_came_of(session_id: str) -> str:
    return (
        "To count one, say what came of it: session_end "
        f"(vettle session end --session {session_id} --outcome accepted)."
    )


def _next_step(
    by_status: dict[str, int],
    counts: dict[str, int],
    waiting: list[str],
    experiments: str,
    ended: list[str],
    silent: list[str],
    *,
    due: bool,
    blocked: Blocked | None,
) -> str:
    if waiting:
        need = "1 rule needs" if len(waiting) == 1 else f"{len(waiting)} rules need"
        return (
            f"{need} a person: rule_decide approve or reject (vettle rule decide {waiting[0]} approve WHY)."
        )
    if blocked:
        return blocked.step
    if experiments:
        return experiments
    if not by_status:
        return "Add candidate rules: vettle init imports those in your files, rule_add (vettle rule add TEXT) adds one."
    if due:
        return "Bring the rule files up to date: rules_render (vettle render --write)."
    if silent:
        return _say_what_came_of(silent[0])
    if ended:
        wait = "waits" if len(ended) == 1 else "wait"
        return (
            f"{counted(len(ended), 'ended session')} {wait} for a reward: reward_log "
            f"(vettle reward accepted --session {ended[0]}; vettle sessions lists them)."
        )
    if not counts["scored"]:
        return "Work as always: agents begin a task with session_start and end it with session_end."
    return "Keep working: the rules on trial need more sessions."
