"""The nouns of vettle as frozen records: what functions return, tools answer and `--json` prints.

Every score and reward is in [0, 1], higher is better. Every effect is a change of the session score,
so it lies in [-1, 1]. Every time is UTC. Every propensity is the probability that a rule is *shown*.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

RuleStatus = Literal["quarantined", "trial", "proven", "pinned", "retired"]
RuleSource = Literal["human", "agent", "mistake", "import"]
RuleAction = Literal["approve", "pin", "unpin", "retire", "restore", "reject", "reword"]
Severity = Literal["blocker", "warning", "suggestion"]
RewardOutcome = Literal["accepted", "revision", "rejected"]
RewardSource = Literal["manual", "human", "ci", "git", "judge"]
SessionState = Literal["open", "ended", "scored", "abandoned", "unrewarded"]
ExperimentState = Literal[
    "proposed", "accepted", "running", "paused", "stopped", "concluded", "applied", "abandoned"
]
ExperimentAction = Literal["start", "pause", "resume", "stop", "close", "apply", "abandon", "restart"]
SelectionPolicy = Literal[
    "auto", "blocks", "adaptive", "weighted", "epsilon_greedy", "thompson", "ucb", "best_so_far", "uniform"
]
RunStatus = Literal["completed", "failed", "timeout", "infrastructure", "cancelled"]
ExperimentOutcome = Literal["better", "worse", "equivalent", "no_difference", "insufficient", "invalid"]
SeriesInterval = Literal["hour", "day", "week"]
Target = Literal["claude", "cursor", "copilot", "windsurf", "continue", "agents", "gemini", "skill"]
ReportKind = Literal["sessions", "mistakes", "rewards", "rules"]
FileAction = Literal["create", "update", "unchanged", "remove", "refused"]
Refusal = Literal["", "edited", "damaged", "not_ours", "unusable", "unknown_rules"]


class Record(BaseModel):
    """The base of every record: frozen, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


# --- rules -------------------------------------------------------------------------------------


class Rule(Record):
    """One instruction for an agent.

    `text` is stored exactly as it was given; renderers neutralise it, once, when they write a file.
    `context` is "" for a rule about any kind of work, and `globs` is empty for a rule about any path.
    """

    id: str
    text: str
    category: str = "general"
    context: str = ""
    globs: tuple[str, ...] = ()
    source: RuleSource = "agent"
    status: RuleStatus = "trial"
    reason: str = ""
    rationale: str = ""
    prior: float = 0.0
    created: datetime


class Estimate(Record):
    """What is known about one rule's effect on the session score.

    `effect`, `low` and `high` are the posterior mean and its 90 % credible interval; they steer and
    are not proof. `causal_*` come from recorded coin flips only and hold at every look (90 %,
    time-uniform); they are None before five withheld sessions. Only the e-values may claim:
    `e_works` >= 20 means "works", `e_hurts` >= 20 means "hurts", each with error at most 5 % per rule
    however often anyone looks.
    """

    effect: float
    low: float
    high: float
    chance_helps: float
    shown: int
    withheld: int
    e_works: float
    e_hurts: float
    causal_effect: float | None = None
    causal_low: float | None = None
    causal_high: float | None = None
    missing_suspected: bool = False
    sessions_needed: int | None = None


class RuleSummary(Record):
    """A rule in a list: what it says, where it stands, and the verdict in words."""

    id: str
    text: str
    status: RuleStatus
    verdict: str
    effect: float
    low: float
    high: float
    chance_helps: float
    shown: int
    withheld: int


class RuleDetails(RuleSummary):
    """A rule in a detailed list: the summary with its origin and its e-values."""

    category: str
    context: str
    globs: tuple[str, ...]
    source: RuleSource
    reason: str
    rationale: str
    created: datetime
    e_works: float
    e_hurts: float
    causal_effect: float | None
    causal_low: float | None
    causal_high: float | None
    missing_suspected: bool


class RulesPage(Record):
    """One page of rules, strongest evidence first.

    `discoveries` lists the rules that pass e-BH over the whole pool (false discovery rate 5 %), which is
    the list to quote when many rules are tested at once.
    """

    rules: list[RuleDetails | RuleSummary]
    total: int
    discoveries: list[str]
    next_cursor: str = ""
    note: str = ""


class RuleAdded(Record):
    """The answer to `rule_add`."""

    rule_id: str
    status: Literal["trial", "quarantined", "duplicate"]
    duplicate_of: str = ""
    reasons: list[str] = []
    next_step: str


class StatusChange(Record):
    """A rule's status before and after, with the reason that is logged."""

    rule_id: str
    old: RuleStatus
    new: RuleStatus
    reason: str


class RuleDecided(StatusChange):
    """The answer to `rule_decide`."""

    text: str


# --- sessions ----------------------------------------------------------------------------------


class SlateEntry(Record):
    """One rule chosen for a session: the probability that it is shown, and what the coin said."""

    rule: str
    propensity: float = Field(gt=0, le=1)
    shown: bool


class Decision(Record):
    """Everything needed to recompute which rules a session was given, and why.

    `folded` is the id of the last event the posterior had folded, `offered` how many of the `pool`
    candidates were within the widening limit. `holdout` sessions show nothing and prove nothing.
    """

    policy: str
    seed: int
    folded: int
    k: int
    pool: int
    offered: int
    holdout: bool = False
    slate: tuple[SlateEntry, ...] = ()


class RuleToFollow(Record):
    """A rule as it is handed to an agent."""

    id: str
    text: str


class PastMistake(Record):
    """An earlier mistake worth knowing, with what corrected it."""

    mistake_id: str
    error_class: str
    description: str
    correction: str = ""
    occurrences: int
    similarity: float = 0.0


class SessionStarted(Record):
    """The answer to `session_start`. `withheld` is a number on purpose: texts would end the experiment."""

    session_id: str
    rules: list[RuleToFollow]
    withheld: int
    pool: int
    avoid: list[PastMistake]
    note: str = ""
    next_step: str


class MistakeLogged(Record):
    """The answer to `mistake_log`."""

    mistake_id: str
    session_id: str
    repeat: bool
    occurrences: int
    similar: list[PastMistake]
    suggested_rule: str = ""
    note: str = ""
    next_step: str


class RewardLogged(Record):
    """The answer to `reward_log`. `session_score` is None while the session has no reward."""

    reward_id: str
    session_id: str
    value: float
    counted: bool
    session_score: float | None
    status_changes: list[StatusChange] = []
    note: str = ""


class SessionEnded(Record):
    """The answer to `session_end`. `score` is None while no reward has been logged."""

    session_id: str
    state: SessionState
    duration_seconds: float
    mistakes: int
    repeats: int
    score: float | None
    status_changes: list[StatusChange] = []
    next_step: str


class SessionSummary(Record):
    """A session in a list."""

    session_id: str
    state: SessionState
    task: str
    context: str
    agent: str
    model: str
    started: datetime
    rules_shown: int
    rules_withheld: int
    mistakes: int
    repeats: int
    score: float | None


# --- reports -----------------------------------------------------------------------------------


class Mean(Record):
    """A count and the mean of what was counted (None where nothing was)."""

    n: int
    mean: float | None


class SessionsReport(Record):
    """Sessions of a period: how many, how they ended, and how well."""

    by_state: dict[str, int]
    score: Mean
    by_context: dict[str, Mean]
    mistakes_per_session: float | None
    sessions: list[SessionSummary]
    next_cursor: str = ""


class MistakeClass(Record):
    """One error class: how often it happened, and the share that repeated an earlier session's mistake."""

    error_class: str
    count: int
    repeats: int
    repeat_rate: float


class MistakesReport(Record):
    """Mistakes of a period by class, with the ones that keep coming back (of all time)."""

    total: int
    repeats: int
    repeat_rate: float | None
    by_class: list[MistakeClass]
    recurring: list[PastMistake]


class RewardsReport(Record):
    """Rewards of a period by outcome and by source."""

    total: int
    mean: float | None
    by_outcome: dict[str, int]
    by_source: dict[str, Mean]


class RulesReport(Record):
    """The pool of rules: how many stand where, what is discovered, and the strongest of each kind."""

    by_status: dict[str, int]
    discoveries: list[str]
    rules: list[RuleDetails | RuleSummary]
    next_cursor: str = ""


class Report(Record):
    """The answer to `report_get`: exactly one of the four parts is filled, the one named by `kind`."""

    kind: ReportKind
    period: str
    context: str
    sessions: SessionsReport | None = None
    mistakes: MistakesReport | None = None
    rewards: RewardsReport | None = None
    rules: RulesReport | None = None
    note: str = ""


class Status(Record):
    """What is going on in a project, and what to do next."""

    project: str
    store: str
    version: str
    schema_version: int
    rules: dict[str, int]
    sessions: dict[str, int]
    experiments: dict[str, int]
    mistakes: int
    rewards: int
    open_sessions: list[SessionSummary]
    needs_person: list[str]
    warnings: list[str]
    next_step: str


class Replay(Record):
    """A session's decision beside the same decision recomputed from the log."""

    session_id: str
    recorded: Decision
    recomputed: Decision
    identical: bool


class Explanation(Record):
    """Why a rule stands where it stands."""

    rule: Rule
    verdict: str
    estimate: Estimate
    history: list[str]
    next_step: str


# --- experiments -------------------------------------------------------------------------------


class VariantSummary(Record):
    """A variant in an answer; the id is the first 12 characters of the hash of its config."""

    id: str
    name: str
    weight: float


class ExperimentCreated(Record):
    """The answer to `experiment_create`.

    The runs are per variant: how many it takes to find a difference of the minimum effect, on average and in
    nine cases of ten; 0 where that cannot be said, with the reason in `notes`.
    """

    experiment_id: str
    state: ExperimentState
    variants: list[VariantSummary]
    runs_per_variant: int
    runs_per_variant_90: int
    notes: list[str] = []
    next_step: str


class ExperimentDecided(Record):
    """The answer to `experiment_decide`; `verdict` is the one that was frozen when it closed."""

    experiment_id: str
    old: ExperimentState
    new: ExperimentState
    reason: str
    verdict: dict[str, JsonValue] = {}
    next_step: str


class VariableRegistered(Record):
    """The answer to `variable_register`: every other name of the variable, and those merged into it now."""

    name: str
    domain: str
    aliases: list[str]
    merged: list[str]


class VariantSelected(Record):
    """The answer to `variant_select`.

    `assignment_id` names the unit in `run_record`. `propensity` is the chance that this variant had; with
    `repeated` the unit had its variant already. `recorded` is false when nothing could be recorded, so that
    the result cannot count.
    """

    experiment_id: str
    assignment_id: str
    variant: str
    variant_id: str
    config: dict[str, JsonValue]
    hint: str = ""
    propensity: float
    policy: str
    why: str
    repeated: bool = False
    recorded: bool = True
    next_step: str


class RunRefused(Record):
    """Why one row of a batch keeps the whole batch from being recorded."""

    row: int
    reason: str


class RunsRecorded(Record):
    """The answer to `run_record`: all rows, or none and the reason for each bad one."""

    accepted: int
    updated: int
    refused: list[RunRefused] = []
    notes: list[str] = []
    next_step: str


class ExperimentVerdict(Record):
    """What may be said about an experiment, however often anyone has looked before.

    `estimate`, `low` and `high` are the difference of the two `compared`, first minus second, higher is
    better: in utilities (shares of the declared range), or in the metric's own unit where it has no range.
    A limit is null while the data set none. `shrunk` is the same difference with the winner's luck taken
    off. `more_mean` and `more_ninetieth` count further `unit`s until a decision, on average and in nine of
    ten experiments. `asymptotic` says that the guarantee needs large samples.
    """

    outcome: ExperimentOutcome
    leader: str | None
    losers: list[str]
    compared: list[str] | None
    estimate: float | None
    low: float | None
    high: float | None
    alpha: float | None
    shrunk: float | None
    shrunk_sd: float | None
    e_value: float
    blocks: int
    more_mean: int | None
    more_ninetieth: int | None
    reasons: list[str]
    next_step: str
    blocked_by: list[str]
    asymptotic: bool
    unit: str


class ChallengerVerdict(Record):
    """How one challenger stands against the control: challenger minus control, as in the verdict."""

    variant: str
    outcome: ExperimentOutcome
    estimate: float | None
    low: float | None
    high: float | None
    shrunk: float | None
    e_value: float
    blocks: int
    reason: str


class VariantResult(Record):
    """One variant of a leaderboard: all of its runs together, whatever their number.

    `n` counts the runs that `mean` is made of, `missing` those that have no result. `mean`, its limits,
    `shrunk` and `expected_loss` are in the metric's own unit (a utility where several metrics decide). The
    limits are asymptotic, hold at any time, and for one variant at a time. `shrunk` is the mean pulled
    towards all variants' common mean by as much as their spread is noise. `chance_best` and `expected_loss`
    are no stopping rules. Duration (milliseconds), tokens and cost are means of completed runs.
    """

    id: str
    name: str
    control: bool
    n: int
    missing: int
    statuses: dict[RunStatus, int]
    mean: float | None
    low: float | None
    high: float | None
    shrunk: float | None
    chance_best: float | None
    expected_loss: float | None
    eliminated: bool
    duration_ms: float | None
    tokens: float | None
    cost: float | None
    failure_modes: dict[str, int]


class ExperimentCheck(Record):
    """One thing that was looked at. A fatal one that is not ok withholds the verdict."""

    name: str
    ok: bool
    detail: str
    fatal: bool


class GuardrailResult(Record):
    """Whether a variant does more harm to a guarded metric than its margin, which is in the metric's unit."""

    metric: str
    variant: str
    e_value: float
    margin: float
    runs: int
    breached: bool


class MarginalMean(Record):
    """The runs of one value, or one combination of values, of what was asked by, all variants together.

    `values` stand in the order of `by`; "(none)" marks a dimension that is named in `absent`.
    """

    values: list[str | float]
    absent: list[str] = []
    n: int
    missing: int
    mean: float | None


class VariantSeries(Record):
    """One variant over time: runs and their mean in each period; an empty period has 0 and null."""

    variant: str
    n: list[int]
    mean: list[float | None]


class TimeSeries(Record):
    """Results by period. `starts` are the first moments of consecutive periods, UTC; weeks begin on Monday."""

    interval: SeriesInterval
    starts: list[datetime]
    variants: list[VariantSeries]


class ExperimentResults(Record):
    """The answer to `experiment_results`.

    `exploratory` says that another metric than the deciding one is summarised: then there is no verdict.
    `frozen` is the verdict that the experiment was closed with.
    """

    experiment_id: str
    name: str
    state: ExperimentState
    metric: str
    direction: Literal["higher", "lower", "unknown"]
    metric_unit: str
    exploratory: bool
    runs: int
    verdict: ExperimentVerdict | None
    frozen: ExperimentVerdict | None = None
    challengers: list[ChallengerVerdict] = []
    leaderboard: list[VariantResult]
    checks: list[ExperimentCheck] = []
    guardrails: list[GuardrailResult] = []
    by: list[str] = []
    marginals: list[MarginalMean] = []
    series: TimeSeries | None = None
    notes: list[str] = []


class ExperimentSummary(Record):
    """One experiment in a list. `outcome` is the frozen one, else that of this moment, or "no_runs"."""

    id: str
    name: str
    state: ExperimentState
    context: str
    variable: str
    tier: int
    variants: int
    runs: int
    outcome: ExperimentOutcome | Literal["no_runs"]
    leader: str | None
    created: datetime
    started: datetime | None


class ExperimentsPage(Record):
    """The answer to `experiments_list`: newest first. `by_state` counts all of the context, `total` those asked for."""

    experiments: list[ExperimentSummary]
    total: int
    by_state: dict[ExperimentState, int]
    next_cursor: str = ""
    note: str = ""


class Calibration(Record):
    """The answer to `judge_calibrate`: how the judge does on the user's own data.

    `false_winner_rate` is the share of simulated experiments without any difference in which it names a
    winner, with the 95 % limits of the simulation. `power` and `power_twice` are the shares in which it finds
    a variant that is better by `effect`, within as many `unit`s as there are now and within twice as many;
    `applied` is what was left of the effect inside the range, and `median` the units until half have found
    it, null if fewer than half do. Differences are as in the verdict. `enough` is false when there is too
    little data to say any of it. `replay` is the verdict under the `alpha` and minimum effect asked for.
    """

    experiment_id: str
    enough: bool
    unit: str
    blocks: int
    simulations: int
    seed: int
    alpha: float
    false_winner_rate: float | None = None
    false_winner_low: float | None = None
    false_winner_high: float | None = None
    effect: float | None = None
    applied: float | None = None
    power: float | None = None
    power_twice: float | None = None
    median: int | None = None
    verdict: ExperimentVerdict
    replay: ExperimentVerdict
    notes: list[str] = []
    next_step: str


# --- rendering ---------------------------------------------------------------------------------


class RenderedFile(Record):
    """What rendering does, or would do, to one file. `path` is relative to the project root.

    `tokens` estimates what the rules cost a reader (characters / 4). `reason` says why the file changes, or
    is refused; then `refusal` names the kind: `edited` by hand, `damaged` markers or encoding, `not_ours`
    (vettle did not write it), `unusable` (a link, a folder, not readable), or `unknown_rules` (written from
    another database).
    """

    path: str
    target: Target
    action: FileAction
    reason: str = ""
    refusal: Refusal = ""
    tokens: int = 0
    rules: list[str] = []
    diff: str = ""


class LeftOut(Record):
    """A rule that was not rendered, and why; `targets` are those it is missing in, and none means in all."""

    rule_id: str
    reason: str
    targets: list[Target] = []


class Delivery(Record):
    """How many copies of each rendered rule one program will read.

    Listed are the programs that the repository is used with, and those that would read any of the rules.
    `once` counts the rules that reach it exactly once, `more` has the others with their number of copies,
    and `never` those it does not read.
    """

    reader: str
    target: Target
    once: int
    more: dict[str, int] = {}
    never: list[str] = []


class HiddenFile(Record):
    """A file of the user's that a program stops reading because of a file that rendering creates."""

    path: str
    reader: str
    remedy: str


class Rendering(Record):
    """The answer to `rules_render`. `in_sync` is false when writing would change a file, or one is refused."""

    files: list[RenderedFile]
    left_out: list[LeftOut]
    in_sync: bool
    written: bool
    deliveries: list[Delivery] = []
    hidden: list[HiddenFile] = []
    notes: list[str] = []


class NotTaken(Record):
    """A passage of a rule file that became no rule, and why."""

    line: int
    text: str
    reason: str


class ImportedFile(Record):
    """What was taken from one rule file: the ids of its rules, new ones and those that were known already.

    `reason` says why nothing could be read. `globs` are the paths that the file says it is about.
    """

    path: str
    globs: tuple[str, ...] = ()
    taken: int = 0
    rules: list[str] = []
    not_taken: list[NotTaken] = []
    reason: str = ""


class RulesImported(Record):
    """What became of the rules that a repository already had.

    `added` are on trial, `quarantined` need a person, `merged` say what another rule of the import says, and
    `known` what a rule of the database says. `applied` is false when this only shows what would happen.
    """

    files: list[ImportedFile]
    added: int
    quarantined: int
    merged: int
    known: int
    applied: bool
    next_step: str


class AdoptedRule(Record):
    """A line that a person wrote into a rule file, and the rule it became."""

    rule_id: str
    text: str
    globs: tuple[str, ...]
    path: str


class Adoption(Record):
    """What became of hand edits: new lines are pinned rules, deleted lines are retired rules.

    `applied` is false when this only shows what would be adopted; then new rules have no id yet.
    """

    pinned: list[AdoptedRule]
    retired: list[str]
    applied: bool
