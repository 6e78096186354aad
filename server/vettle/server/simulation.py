"""The simulated agent of `vettle demo`: its hidden rule effects, its mistakes and its outcomes.

Nothing here is a claim about real agents. The effects are several times larger than real ones, so that a
minute is enough to prove what takes months of real work.
"""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

BASE = 0.25
HELPFUL = (0.26, 0.22, 0.18)
HARMFUL = (-0.20, -0.15)

WORK: tuple[tuple[str, str, str], ...] = (
    ("feature", "add a statistic to the report", "engine/vettle/engine/reports.py"),
    ("feature", "support another glob form", "renderers/vettle/renderers/globs.py"),
    ("bug-fix", "fix the failing store test", "tests/engine/test_store.py"),
    ("bug-fix", "mend the lock after a crash", "engine/vettle/engine/store/lock.py"),
)
_MISTAKES: tuple[tuple[str, str, str], ...] = (
    ("missing-import", "NameError: name '{name}' is not defined in {name}.py:{line}", "import it at the top"),
    ("type-error", "mypy: argument {line} of {name}() has an incompatible type", "annotate the caller"),
    ("forgotten-test", "no test covers the new branch in {name}.py", "write the test first"),
    ("stale-docs", "README still shows the old output of {name}", "update README in the same commit"),
)
_NAMES = ("store", "posterior", "blocks", "cursor", "lifecycle", "similarity")

MODELS: dict[str, tuple[float, float]] = {
    "large": (0.85, 0.060),
    "medium": (0.60, 0.015),
    "small": (0.40, 0.002),
}
"""Models of the simulated experiment: the share of bugs that each fixes, and what a try costs."""


@dataclass(frozen=True)
class Mistake:
    """A mistake the simulated agent makes."""

    error_class: str
    description: str
    correction: str


@dataclass(frozen=True)
class Result:
    """How a session of the simulated agent went."""

    outcome: str
    mistakes: tuple[Mistake, ...]


class SimulatedAgent:
    """An agent that succeeds with a probability moved by the rules it is shown, and by nothing else."""

    def __init__(self, rules: Sequence[str], seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a simulation
        touched = self._random.sample(list(rules), len(HELPFUL) + len(HARMFUL))
        self.effects = dict.fromkeys(rules, 0.0) | dict(zip(touched, HELPFUL + HARMFUL, strict=True))

    def task(self) -> tuple[str, str, str]:
        """Draw the next piece of work: its kind, what to do, and the file it is about."""
        return self._random.choice(WORK)

    def work(self, shown: Collection[str]) -> Result:
        """Do a session under the shown rules."""
        chance = min(0.97, max(0.03, BASE + sum(self.effects[rule] for rule in shown)))
        succeeded = self._random.random() < chance
        outcome = "accepted" if succeeded else self._random.choice(("rejected", "rejected", "revision"))
        mistakes = tuple(self._mistake() for _ in range(self._poisson(1.2 * (1 - chance))))
        return Result(outcome, mistakes)

    def fix(self, model: str) -> dict[str, object]:
        """Try to fix a bug with a model; return the result as `run_record` takes it."""
        chance, cost = MODELS[model]
        return {
            "metrics": {"fixed": float(self._random.random() < chance)},
            "cost": round(cost * self._random.uniform(0.7, 1.3), 4),
            "duration_ms": round(self._random.uniform(5_000, 60_000)),
            "tokens_in": self._random.randint(2_000, 20_000),
            "tokens_out": self._random.randint(200, 2_000),
        }

    def _mistake(self) -> Mistake:
        error_class, description, correction = self._random.choice(_MISTAKES)
        name, line = self._random.choice(_NAMES), self._random.randint(1, 400)
        return Mistake(error_class, description.format(name=name, line=line), correction)

    def _poisson(self, mean: float) -> int:
        """Draw from a Poisson distribution (Knuth 1969, section 3.4.1)."""
        limit, product, count = math.exp(-mean), self._random.random(), 0
        while product > limit:
            product *= self._random.random()
            count += 1
        return count
