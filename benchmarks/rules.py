"""Measure how well rules are chosen and claimed: `python -m benchmarks.rules [--scale 0.2] [--only plain,null]`.

Every scenario prints a Markdown table: vettle beside the peer's policy in the same simulated worlds,
the ratio of their regrets with its standard error over seeds, and the target with a mark. Losing cells
are printed like the others.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from benchmarks import worlds
from benchmarks.peer_policy import PeerPolicy
from benchmarks.worlds import Array, Played, World
from vettle.engine.effects import CLAIM, NORMAL_95, Evidence, e_bh
from vettle.engine.learner import Learner
from vettle.engine.records import Decision, RuleStatus
from vettle.engine.selection import Candidates, Preferences, choose

K = 3

Order = Callable[[World, int], list[int]]


# --- players --------------------------------------------------------------------------------------


@dataclass
class Run:
    """What one policy did in one world.

    Attributes:
        regret: Cumulative regret after each session.
        shown: Rules shown in each session.
        claimed: Rules ever said to work, whatever was said later.
        alarms: Sessions at which a change was reported.
        discovered: Whether the list of rules that work was ever non-empty (watched where none does).
        precision: Share of the top three rules that are truly good, at the end.
        covered: Share of 90 % intervals of the top three of each context that hold the truth, at the end.
    """

    regret: Array
    shown: Array
    claimed: set[int] = field(default_factory=set)
    alarms: list[int] = field(default_factory=list)
    discovered: bool = False
    precision: float = float("nan")
    covered: float = float("nan")


class Player(Protocol):
    """A policy as the simulation sees it; rules are numbers."""

    def choose(self, context: str) -> list[int]:
        """Return the rules to show."""

    def learn(self, context: str, played: Played) -> None:
        """Learn from the session just chosen for."""

    def finish(self, run: Run, world: World) -> None:
        """Fill in what only the policy knows."""


class Engine:
    """Play as vettle does: choose, learn, and let the evidence set the status of every rule."""

    def __init__(
        self,
        world: World,
        seed: int,
        order: Order | None = None,
        hints_right: float | None = None,
        preferences: Preferences | None = None,
    ) -> None:
        self.learner = Learner()
        self._world = world
        self._seed = seed
        self._names = world.names()
        self._number = {name: number for number, name in enumerate(self._names)}
        numbers = order(world, seed) if order else range(world.size)
        self._status: dict[str, RuleStatus] = {self._names[number]: "trial" for number in numbers}
        self._candidates = Candidates(list(self._status))
        self._hints_right = hints_right
        self._preferences = preferences
        self._draws = np.random.default_rng((seed, 2))
        self._decision: Decision | None = None
        self._claimed: set[int] = set()
        self._watched = not world.effects.any()
        self._discovered = False
        self._alarms: list[int] = []

    def choose(self, context: str) -> list[int]:
        """Decide as the server would at the start of a session."""
        self._decision = choose(
            self.learner.posterior,
            self._candidates,
            context,
            k=K,
            seed=self._seed,
            session_id=str(self.learner.sessions),
            preferences=self._preferences,
        )
        return [self._number[entry.rule] for entry in self._decision.slate if entry.shown]

    def learn(self, context: str, played: Played) -> None:
        """Fold the session, then its hints, then settle the rules of the slate."""
        assert self._decision is not None
        folded = self.learner.observe(context, played.score, self._decision.slate)
        if folded.alarm:
            self._alarms.append(self.learner.sessions)
        if self._hints_right is not None:
            self._hint(context, played.mistakes)
        for entry in self._decision.slate:
            self._settle(entry.rule)

    def _hint(self, context: str, mistakes: int) -> None:
        """Name a rule in every mistake: a good one with the given probability, else any."""
        assert self._decision is not None
        shown = {entry.rule for entry in self._decision.slate if entry.shown}
        good = np.flatnonzero(self._world.effects[0] > 0)
        for _ in range(mistakes):
            right = len(good) and self._draws.random() < (self._hints_right or 0.0)
            named = self._names[
                int(self._draws.choice(good) if right else self._draws.integers(self._world.size))
            ]
            self.learner.hint(named, context, shown=named in shown)

    def _settle(self, rule: str) -> None:
        """Give a rule the status that the evidence says."""
        if self.learner.evidence(rule).e_works >= CLAIM:
            self._claimed.add(self._number[rule])
        if self._claimed and self._watched and not self._discovered:
            values = [self.learner.evidence(name).e_works for name in self._names]
            self._discovered = bool(e_bh(values))
        new, _ = self.learner.standing(rule, self._status[rule])
        if new != self._status[rule]:
            self._status[rule] = new
            self._candidates = Candidates(
                [name for name, status in self._status.items() if status != "retired"],
                proven={name for name, status in self._status.items() if status == "proven"},
            )

    def finish(self, run: Run, world: World) -> None:
        """Report claims, alarms, and how good the present top three of each context is."""
        run.claimed, run.alarms, run.discovered = self._claimed, self._alarms, self._discovered
        hits: list[bool] = []
        good: list[bool] = []
        world.noise = 0.0
        for context in range(len(world.bases)):
            world.context = context
            means, deviations = self.learner.posterior.effects(self._names, f"context {context}")
            top = [int(rule) for rule in np.argsort(-means)[:K]]
            good += [bool(world.effects[context, rule] > 0) for rule in top]
            truth = np.array([world.effect_on_score(rule, top) for rule in top])
            hits += (np.abs(means[top] - truth) <= NORMAL_95 * deviations[top]).tolist()
        run.precision, run.covered = float(np.mean(good)), float(np.mean(hits))


class Peer:
    """Play as the peer does: always k rules, and every rule on the list learns everything."""

    def __init__(self, world: World, seed: int) -> None:
        self._policy = PeerPolicy(world.size, np.random.default_rng((seed, 3)))
        self._chosen: list[int] = []
        self._claimed: set[int] = set()
        self._sessions = 0

    def choose(self, context: str) -> list[int]:
        """Sample and take the k largest."""
        self._chosen = self._policy.choose(context, K)
        return self._chosen

    def learn(self, context: str, played: Played) -> None:
        """Credit everybody; look at the limits every 20 sessions."""
        self._policy.learn(context, self._chosen, played.reward, played.mistakes)
        self._sessions += 1
        if self._sessions % 20 == 0:
            self._claimed |= self._policy.claimed()

    def finish(self, run: Run, world: World) -> None:
        """Report what its limits would ever have claimed, and its top three."""
        run.claimed = self._claimed
        good = [
            bool(world.effects[context, rule] > 0)
            for context in range(len(world.bases))
            for rule in self._policy.ranking(f"context {context}")[:K]
        ]
        run.precision = float(np.mean(good))


def simulate(world: World, player: Player, sessions: int) -> Run:
    """Let a policy play a world."""
    regret, shown = np.zeros(sessions), np.zeros(sessions)
    for session in range(sessions):
        context = world.start()
        rules = player.choose(context)
        played = world.play(rules)
        regret[session], shown[session] = played.regret, len(rules)
        player.learn(context, played)
    run = Run(np.cumsum(regret), shown)
    player.finish(run, world)
    return run


def engine_runs(
    make: Callable[[int], World],
    seeds: int,
    sessions: int,
    order: Order | None = None,
    hints_right: float | None = None,
    preferences: Preferences | None = None,
) -> list[Run]:
    """Play vettle once per seed."""
    runs = []
    for seed in range(seeds):
        world = make(seed)
        player = Engine(world, seed, order=order, hints_right=hints_right, preferences=preferences)
        runs.append(simulate(world, player, sessions))
    return runs


def peer_runs(make: Callable[[int], World], seeds: int, sessions: int) -> list[Run]:
    """Play the peer's policy once per seed, in the same worlds."""
    return [simulate(world := make(seed), Peer(world, seed), sessions) for seed in range(seeds)]


# --- numbers --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One line of a table; `passed` is None where nothing is demanded."""

    measure: str
    vettle: str
    peer: str = ""
    target: str = ""
    passed: bool | None = None


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float]:
    """Return the ratio of two paired means and its standard error (delta method)."""
    a, b = np.array(ours), np.array(theirs)
    value = float(a.mean() / b.mean())
    error = float(np.std(a - value * b, ddof=1) / (abs(b.mean()) * np.sqrt(len(a))))
    return value, error


def regret_row(
    measure: str, ours: Sequence[Run], theirs: Sequence[Run], limit: float | None, end: int, start: int = 0
) -> Row:
    """Compare regret between two sessions; `limit` is the greatest ratio that passes."""
    a, b = (
        [float(run.regret[end - 1] - (run.regret[start - 1] if start else 0.0)) for run in runs]
        for runs in (ours, theirs)
    )
    value, error = ratio(a, b)
    text = f"{np.mean(a):.0f} (ratio {value:.2f} ± {error:.2f})"
    if limit is None:
        return Row(measure, text, f"{np.mean(b):.0f}")
    return Row(measure, text, f"{np.mean(b):.0f}", f"ratio <= {limit:.2f}", value <= limit)


def false_claims(make: Callable[[int], World], runs: Sequence[Run]) -> float:
    """Return the share of rules without effect that were ever said to work."""
    claimed = total = 0
    for seed, run in enumerate(runs):
        idle = set(np.flatnonzero(~(make(seed).effects != 0).any(axis=0)).tolist())
        claimed += len(run.claimed & idle)
        total += len(idle)
    return claimed / total


def claims_row(make: Callable[[int], World], ours: Sequence[Run], theirs: Sequence[Run]) -> Row:
    """Compare how many rules without effect were ever said to work."""
    rate = false_claims(make, ours)
    peer = f"{false_claims(make, theirs):.3f}" if theirs else ""
    return Row("rules without effect ever claimed", f"{rate:.4f}", peer, "<= .05", rate <= 0.05)


def good_claims(make: Callable[[int], World], runs: Sequence[Run]) -> float:
    """Return the share of good rules that were ever said to work."""
    goods = [set(np.flatnonzero((make(seed).effects > 0).all(axis=0)).tolist()) for seed in range(len(runs))]
    return sum(len(run.claimed & good) for run, good in zip(runs, goods, strict=True)) / sum(map(len, goods))


def mean(values: Iterable[float]) -> float:
    """Return the mean."""
    return float(np.mean(list(values)))


def at_least(measure: str, value: float, limit: float, peer: str = "") -> Row:
    """Demand a value of at least `limit`."""
    return Row(measure, f"{value:.3f}", peer, f">= {limit:g}", value >= limit)


def at_most(measure: str, value: float, limit: float, peer: str = "") -> Row:
    """Demand a value of at most `limit`."""
    return Row(measure, f"{value:.3f}", peer, f"<= {limit:g}", value <= limit)


# --- scenarios ------------------------------------------------------------------------------------


def scaled(seeds: int, scale: float) -> int:
    """Return the number of seeds at a scale, at least two."""
    return max(2, round(seeds * scale))


def plain(scale: float) -> list[Row]:
    """50 rules, 5 good, one context."""
    seeds = scaled(60, scale)
    ours, theirs = engine_runs(worlds.plain, seeds, 2000), peer_runs(worlds.plain, seeds, 2000)
    peer_precision = f"{mean(run.precision for run in theirs):.3f}"
    return [
        regret_row("regret at 500", ours, theirs, 0.90, 500),
        regret_row("regret at 2,000", ours, theirs, 0.95, 2000),
        at_least("precision of the top three", mean(run.precision for run in ours), 0.95, peer_precision),
        at_least("good rules claimed", good_claims(worlds.plain, ours), 0.50),
        claims_row(worlds.plain, ours, theirs),
        at_most("false alarms per run", mean(len(run.alarms) for run in ours), 0.05),
    ]


def confounded(scale: float) -> list[Row]:
    """Four contexts of different difficulty, hidden agents, slow moods."""
    seeds = scaled(20, scale)
    ours, theirs = engine_runs(worlds.confounded, seeds, 2000), peer_runs(worlds.confounded, seeds, 2000)
    peer_precision = f"{mean(run.precision for run in theirs):.3f}"
    return [
        regret_row("regret at 500", ours, theirs, None, 500),
        regret_row("regret at 2,000", ours, theirs, 0.65, 2000),
        at_least("coverage of 90 % intervals, top three", mean(run.covered for run in ours), 0.85),
        Row("precision of the top three", f"{mean(run.precision for run in ours):.3f}", peer_precision),
        claims_row(worlds.confounded, ours, theirs),
    ]


def pool500(scale: float) -> list[Row]:
    """500 rules, 15 good: in random order, and in an order with some relevance."""
    seeds = scaled(12, scale)
    theirs = peer_runs(worlds.pool500, seeds, 2000)
    blind = engine_runs(worlds.pool500, seeds, 2000, order=worlds.shuffled)
    helped = engine_runs(worlds.pool500, seeds, 2000, order=worlds.relevance)
    return [
        regret_row("regret at 2,000, random order", blind, theirs, 0.70, 2000),
        regret_row("regret at 2,000, relevance order", helped, theirs, 0.45, 2000),
        claims_row(worlds.pool500, blind + helped, theirs),
    ]


def pool5000(scale: float) -> list[Row]:
    """5,000 rules, 50 good, in an order with some relevance."""
    seeds = scaled(6, scale)
    ours = engine_runs(worlds.pool5000, seeds, 2000, order=worlds.relevance)
    theirs = peer_runs(worlds.pool5000, seeds, 2000)
    return [
        regret_row("regret at 2,000, relevance order", ours, theirs, 0.55, 2000),
        claims_row(worlds.pool5000, ours, theirs),
    ]


def drift(scale: float) -> list[Row]:
    """All effects dealt anew after 2,000 sessions."""
    seeds = scaled(20, scale)
    ours, theirs = engine_runs(worlds.drift, seeds, 6000), peer_runs(worlds.drift, seeds, 6000)
    caught = mean(any(2000 < alarm <= 2200 for alarm in run.alarms) for run in ours)
    early = mean(any(alarm <= 2000 for alarm in run.alarms) for run in ours)
    return [
        regret_row("regret to 2,000", ours, theirs, None, 2000),
        regret_row("regret from 2,001 to 6,000", ours, theirs, 0.50, 6000, start=2000),
        at_least("runs with an alarm within 200 sessions", caught, 0.85),
        at_most("runs with an alarm before", early, 0.0),
    ]


def interact(scale: float) -> list[Row]:
    """Redundant, synergetic and conflicting rules."""
    seeds = scaled(20, scale)
    ours, theirs = engine_runs(worlds.interact, seeds, 2000), peer_runs(worlds.interact, seeds, 2000)
    return [
        regret_row("regret at 500", ours, theirs, None, 500),
        regret_row("regret at 2,000", ours, theirs, 0.80, 2000),
    ]


def null(scale: float) -> list[Row]:
    """50 rules that do nothing."""
    seeds = scaled(40, scale)
    ours, theirs = engine_runs(worlds.null, seeds, 5000), peer_runs(worlds.null, seeds, 2000)
    strict = engine_runs(worlds.null, seeds, 2000, preferences=Preferences(minimum_effect=0.04))
    shown = mean(float(run.shown[1900:2000].mean()) for run in strict)
    return [
        claims_row(worlds.null, ours, theirs),
        at_most("runs whose e-BH list is ever non-empty", mean(run.discovered for run in ours), 0.05),
        at_most("false alarms per run", mean(len(run.alarms) for run in ours), 0.05),
        at_most("rules shown at 2,000, minimum effect .04", shown, 1.6, f"{K}.000"),
        Row(
            "rules shown at 2,000",
            f"{mean(float(run.shown[1900:2000].mean()) for run in ours):.3f}",
            f"{K}.000",
        ),
    ]


def hints(scale: float) -> list[Row]:
    """Plain, with a rule named in every mistake: rightly in 70 %, 30 % or none of them."""
    seeds = scaled(40, scale)
    without = engine_runs(worlds.plain, seeds, 2000)
    rows = []
    for right, limit in ((0.7, 0.75), (0.3, 0.90), (0.0, 1.15)):
        named = engine_runs(worlds.plain, seeds, 2000, hints_right=right)
        value, error = ratio([run.regret[-1] for run in named], [run.regret[-1] for run in without])
        rows.append(
            Row(
                f"regret at 2,000, {right:.0%} right, against no hints",
                f"ratio {value:.2f} ± {error:.2f}",
                target=f"ratio <= {limit:.2f}",
                passed=value <= limit,
            )
        )
        rows.append(claims_row(worlds.plain, named, []))
    return rows


def coin_run(effect: float, seed: int, sessions: int, to_the_end: bool) -> tuple[int | None, bool]:
    """Follow one rule that is always on the slate, withheld in 20 %; scores are accepted or rejected.

    Return the session at which "works" is claimed (None: never) and whether the 90 % interval ever
    missed the effect. Stops at the claim unless told to go to the end.
    """
    draws = np.random.default_rng((seed, 4))
    context = draws.integers(4, size=sessions)
    shown = draws.random(sessions) < 0.8
    chance = np.array([0.2, 0.4, 0.6, 0.8])[context] + effect * shown
    scores = draws.random(sessions) < chance
    evidence, claimed, missed = Evidence(), None, False
    sums, counts = [0.5] * 4, [1.0] * 4
    for label, seen, score in zip(context.tolist(), shown.tolist(), scores.tolist(), strict=True):
        evidence.observe(seen, 0.8, float(score), sums[label] / counts[label])
        sums[label] += score
        counts[label] += 1
        if claimed is None and evidence.e_works >= CLAIM:
            claimed = evidence.flips
            if not to_the_end:
                break
        interval = evidence.interval() if to_the_end and not missed else None
        missed = missed or (interval is not None and not interval.low <= effect <= interval.high)
    return claimed, missed


def coin(scale: float) -> list[Row]:
    """One rule, always on the slate, withheld in 20 %: claims and intervals by effect."""
    seeds = scaled(1000, scale)
    idle = [coin_run(0.0, seed, 4000, to_the_end=True) for seed in range(seeds)]
    tenth = [coin_run(0.10, seed, 4000, to_the_end=True) for seed in range(scaled(200, scale))]
    times = {
        effect: [coin_run(effect, seed, 4000, to_the_end=False)[0] or 4000 for seed in range(seeds)]
        for effect in (0.05, 0.10, 0.15)
    }
    return [
        at_most("ever claimed without effect", mean(claimed is not None for claimed, _ in idle), 0.05),
        at_most("interval ever missed, effect 0", mean(missed for _, missed in idle), 0.12),
        at_most("interval ever missed, effect +.10", mean(missed for _, missed in tenth), 0.12),
        Row("mean sessions to the claim, effect +.05 (4,000 if later)", f"{mean(times[0.05]):.0f}"),
        Row(
            "mean sessions to the claim, effect +.10",
            f"{mean(times[0.10]):.0f}",
            target="<= 1200",
            passed=mean(times[0.10]) <= 1200,
        ),
        Row("mean sessions to the claim, effect +.15", f"{mean(times[0.15]):.0f}"),
    ]


def missing_run(if_shown: float, if_withheld: float, seed: int, sessions: int) -> int | None:
    """Return the session at which the missing-outcome check fires, or None."""
    draws = np.random.default_rng((seed, 5))
    evidence = Evidence()
    for session in range(1, sessions + 1):
        shown = bool(draws.random() < 0.8)
        if draws.random() < (if_shown if shown else if_withheld):
            evidence.observe_missing(shown, 0.8)
        else:
            evidence.observe(shown, 0.8, 0.5, 0.5)
        if evidence.e_missing >= CLAIM:
            return session
    return None


def missing(scale: float) -> list[Row]:
    """Outcomes that go missing depending on the coin, and at random."""
    seeds = scaled(200, scale)
    biased = [missing_run(0.10, 0.25, seed, 2000) for seed in range(seeds)]
    blind = [missing_run(0.15, 0.15, seed, 2000) for seed in range(seeds)]
    return [
        at_least(
            "flagged, 10 % missing when shown, 25 % when withheld", mean(x is not None for x in biased), 0.95
        ),
        Row("median sessions until then", f"{np.median([x or 2000 for x in biased]):.0f}"),
        at_most("flagged, 15 % missing at random", mean(x is not None for x in blind), 0.05),
    ]


def timed_sessions(rules: int, sessions: int) -> tuple[Learner, Array, list[tuple[str, float, Decision]]]:
    """Choose and learn among many rules; return the learner, the milliseconds of each session, and the log."""
    draws = np.random.default_rng(rules)
    learner, candidates = Learner(), Candidates([f"rule {number}" for number in range(rules)])
    milliseconds, log = np.zeros(sessions), []
    for session in range(sessions):
        score = float(draws.random())
        start = time.perf_counter()
        decision = choose(learner.posterior, candidates, "c", k=K, seed=1, session_id=str(session))
        learner.observe("c", score, decision.slate)
        milliseconds[session] = 1000 * (time.perf_counter() - start)
        log.append(("c", score, decision))
    return learner, milliseconds, log


def import_seconds(statement: str) -> float:
    """Return the best of five cold starts of an interpreter that executes `statement`."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True)
        times.append(time.perf_counter() - start)
    return min(times)


def latency(scale: float) -> list[Row]:
    """Choose and learn, in process, by size of the pool; replay and import."""
    rows = []
    for rules, limit in ((50, 0.5), (500, 1.5), (5000, 3.0)):
        _, milliseconds, _ = timed_sessions(rules, scaled(2000, scale))
        rows.append(at_most(f"{rules:,} rules: median ms", float(np.median(milliseconds)), limit))
        rows.append(
            at_most(f"{rules:,} rules: 99th percentile ms", float(np.quantile(milliseconds, 0.99)), 10)
        )
    learner, _, log = timed_sessions(50, 10_000)
    replayed, start = Learner(), time.perf_counter()
    for context, score, decision in log:
        replayed.observe(context, score, decision.slate)
    seconds = time.perf_counter() - start
    assert replayed.to_bytes() == learner.to_bytes()
    bare, full = (
        import_seconds("import numpy, vettle.engine.records"),
        import_seconds("import vettle.engine.learner"),
    )
    return [
        *rows,
        at_most("replay of 10,000 sessions, s (equal bytes)", seconds, 10),
        Row("import of the learner beyond numpy and the records, s", f"{full - bare:.3f}"),
        at_most("import of the learner beyond a bare interpreter, s", full - import_seconds("pass"), 0.25),
    ]


SCENARIOS: dict[str, Callable[[float], list[Row]]] = {
    scenario.__name__: scenario
    for scenario in (
        plain,
        confounded,
        pool500,
        pool5000,
        drift,
        interact,
        null,
        hints,
        coin,
        missing,
        latency,
    )
}


def table(rows: Sequence[Row]) -> str:
    """Return rows as a Markdown table."""
    lines = ["| measure | vettle | peer | target | |", "|---|---|---|---|---|"]
    for row in rows:
        mark = {None: "", True: "pass", False: "**miss**"}[row.passed]
        lines.append(f"| {row.measure} | {row.vettle} | {row.peer} | {row.target} | {mark} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scenarios and print their tables; exit with 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rules", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the seeds to run (default: 1)")
    parser.add_argument("--only", default="", help=f"scenarios, comma-separated: {', '.join(SCENARIOS)}")
    options = parser.parse_args(arguments)
    chosen = options.only.split(",") if options.only else list(SCENARIOS)
    if unknown := [name for name in chosen if name not in SCENARIOS]:
        parser.error(f"unknown scenario {unknown[0]!r}; there are {', '.join(SCENARIOS)}")
    missed = 0
    for name in chosen:
        start = time.perf_counter()
        rows = SCENARIOS[name](options.scale)
        missed += sum(row.passed is False for row in rows)
        seconds = time.perf_counter() - start
        print(f"### {name}\n\n{SCENARIOS[name].__doc__} (scale {options.scale:g}, {seconds:.0f} s)\n")
        print(table(rows), flush=True)
        print()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
