"""Simulated worlds in which rules help, harm or do nothing, and the truth is known.

A session succeeds with probability `clip(base + noise + effects of the rules shown, .02, .98)`. In 80 %
of sessions it is accepted or rejected, in 20 % revised, with a Beta reward of that mean; mistakes are
Poisson with mean 1.2 (1 - p). Regret is counted in success probability against the best set of at most
k rules. Effects of good rules are spread evenly over +.05 to +.15, those of harmful ones mirror them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Shown = Iterable[int]

MISTAKES = 1.2
"""Mistakes that a session makes on average when it is certain to fail."""

_REVISED = 0.2
_CONCENTRATION = 4.0


class Played(NamedTuple):
    """What one session gave: reward in [0, 1], number of mistakes, and success probability lost."""

    reward: float
    mistakes: int
    regret: float

    @property
    def score(self) -> float:
        """The session score: half the reward, half the absence of mistakes (two are as bad as more)."""
        return 0.5 * self.reward + 0.5 * (1 - min(self.mistakes, 2) / 2)


def expected_score(chance: float) -> float:
    """Return the mean session score at a success probability."""
    mean = MISTAKES * (1 - chance)
    return 0.5 * chance + 0.25 * math.exp(-mean) * (2 + mean)


def clip(chance: float) -> float:
    """Keep a success probability away from certainty."""
    return min(max(chance, 0.02), 0.98)


@dataclass
class World:
    """One run of a world: `start` a session to learn its context, then `play` it with some rules.

    Attributes:
        effects: True effect of each rule on the success probability, shape (contexts, rules).
        draws: Source of everything random here.
        k: Most rules in the best set.
        bases: Success probability without rules, per context.
        weights: How often each context comes.
        offsets: Unobserved differences between agents, one drawn per session.
        difficulty_sd: Stationary standard deviation of a slow unobserved AR(1) difficulty.
        redraw_at: Session at which all effects are dealt anew to other rules; never if None.
    """

    effects: Array
    draws: np.random.Generator
    k: int = 3
    bases: Sequence[float] = (0.6,)
    weights: Sequence[float] = (1.0,)
    offsets: Sequence[float] = (0.0,)
    difficulty_sd: float = 0.0
    redraw_at: int | None = None
    session: int = 0
    context: int = 0
    noise: float = 0.0
    difficulty: float = field(init=False)

    def __post_init__(self) -> None:
        self.difficulty = self.difficulty_sd * float(self.draws.standard_normal())

    @property
    def size(self) -> int:
        """Number of rules."""
        return int(self.effects.shape[1])

    def start(self) -> str:
        """Begin the next session; return its context label."""
        if self.session == self.redraw_at:
            self.effects = self.effects[:, self.draws.permutation(self.size)]
        self.session += 1
        self.context = int(self.draws.choice(len(self.bases), p=self.weights))
        if self.difficulty_sd:
            shock = self.difficulty_sd * math.sqrt(1 - _PERSISTENCE**2) * float(self.draws.standard_normal())
            self.difficulty = _PERSISTENCE * self.difficulty + shock
        self.noise = float(self.draws.choice(self.offsets)) + self.difficulty
        return f"context {self.context}"

    def total(self, shown: Shown) -> float:
        """Return the joint effect of rules in the present context."""
        return float(sum(self.effects[self.context, rule] for rule in shown))

    def best(self) -> float:
        """Return the joint effect of the best set in the present context."""
        strongest = np.sort(self.effects[self.context])[-self.k :]
        return float(strongest[strongest > 0].sum())

    def chance(self, shown: Shown) -> float:
        """Return the success probability of the present session with these rules."""
        return clip(self.bases[self.context] + self.noise + self.total(shown))

    def play(self, shown: Shown) -> Played:
        """Run the present session with these rules."""
        chance = self.chance(shown)
        best = clip(self.bases[self.context] + self.noise + self.best())
        if self.draws.random() < _REVISED:
            reward = float(self.draws.beta(_CONCENTRATION * chance, _CONCENTRATION * (1 - chance)))
        else:
            reward = float(self.draws.random() < chance)
        return Played(reward, int(self.draws.poisson(MISTAKES * (1 - chance))), best - chance)

    def effect_on_score(self, rule: int, others: Sequence[int]) -> float:
        """Return what showing a rule beside `others` adds to the mean score in the present context."""
        without = self.bases[self.context] + self.total(other for other in others if other != rule)
        return expected_score(clip(without + self.total([rule]))) - expected_score(clip(without))

    def names(self) -> list[str]:
        """Return the rule ids, by number."""
        return [f"rule {number}" for number in range(self.size)]


_PERSISTENCE = 0.99


@dataclass
class Interacting(World):
    """Rules whose effects do not add up: three redundant, a pair that only works together, a pair at war."""

    def total(self, shown: Shown) -> float:
        """Return the joint effect of rules, by number: see `_interaction`."""
        together = set(shown)
        return super().total(together) + _interaction(together)

    def best(self) -> float:
        """Return the joint effect of one redundant rule and both additive ones."""
        return 0.26


def _interaction(shown: set[int]) -> float:
    """Return what is added to the sum of effects: 0-2 count once, 3 and 4 need, 5 and 6 disturb each other."""
    redundant = max(len(shown & {0, 1, 2}) - 1, 0)
    return -0.10 * redundant + 0.12 * ({3, 4} <= shown) - 0.18 * ({5, 6} <= shown)


def dealt(rules: int, good: int, draws: np.random.Generator) -> Array:
    """Return effects in one context: `good` good and as many harmful ones among `rules`, in random places."""
    effects = np.zeros((1, rules))
    ladder = np.linspace(0.05, 0.15, good) if good else np.zeros(0)
    effects[0, : 2 * good] = np.concatenate([ladder, -ladder])
    return effects[:, draws.permutation(rules)]


def plain(seed: int) -> World:
    """Return 50 rules, 5 good and 5 harmful, in one context."""
    draws = np.random.default_rng(seed)
    return World(dealt(50, 5, draws), draws)


def confounded(seed: int) -> World:
    """Return the rules of `plain` in four contexts of very different difficulty, with hidden agents and moods.

    The effects of rules that have one differ by context, with standard deviation .03.
    """
    draws = np.random.default_rng(seed)
    effects = np.repeat(dealt(50, 5, draws), 4, axis=0)
    effects += (effects != 0) * 0.03 * draws.standard_normal(effects.shape)
    return World(
        effects,
        draws,
        bases=(0.15, 0.3, 0.45, 0.55),
        weights=(0.4, 0.3, 0.2, 0.1),
        offsets=(-0.1, 0.0, 0.1),
        difficulty_sd=0.08,
    )


def pool500(seed: int) -> World:
    """Return 500 rules, 15 good and 15 harmful."""
    draws = np.random.default_rng(seed)
    return World(dealt(500, 15, draws), draws)


def pool5000(seed: int) -> World:
    """Return 5,000 rules, 50 good and 50 harmful."""
    draws = np.random.default_rng(seed)
    return World(dealt(5000, 50, draws), draws)


def drift(seed: int) -> World:
    """Return `plain`, with all effects dealt anew after 2,000 sessions."""
    draws = np.random.default_rng(seed)
    return World(dealt(50, 5, draws), draws, redraw_at=2000)


def interact(seed: int) -> World:
    """Return 50 rules of which nine matter, most of them through each other."""
    draws = np.random.default_rng(seed)
    effects = np.zeros((1, 50))
    effects[0, :9] = [0.10, 0.10, 0.10, 0.0, 0.0, 0.06, 0.06, 0.08, 0.08]
    return Interacting(effects, draws)


def null(seed: int) -> World:
    """Return 50 rules that do nothing."""
    draws = np.random.default_rng(seed)
    return World(np.zeros((1, 50)), draws)


WORLDS: dict[str, Callable[[int], World]] = {
    world.__name__: world for world in (plain, confounded, pool500, pool5000, drift, interact, null)
}


def relevance(world: World, seed: int) -> list[int]:
    """Return all rules in a weakly informative order: good rules score one standard deviation higher."""
    scores = np.random.default_rng((seed, 1)).standard_normal(world.size) + (world.effects[0] > 0)
    return [int(rule) for rule in np.argsort(-scores)]


def shuffled(world: World, seed: int) -> list[int]:
    """Return all rules in an order that says nothing."""
    return [int(rule) for rule in np.random.default_rng((seed, 1)).permutation(world.size)]
