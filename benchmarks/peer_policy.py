"""The policy of buildlog, written anew from its description, as the one to beat.

Thompson sampling with an independent Beta per context and rule (Thompson 1933), a head start for some
rules, the whole session's reward to every selected rule, and a reward of zero to all of them for each
mistake. No baseline, no sharing between contexts, no credit split, nothing forgotten.
"""

from __future__ import annotations

import numpy as np

from benchmarks.worlds import Array


class PeerPolicy:
    """Choose and learn as the peer does, among rules numbered from 0.

    A random fifth of the rules starts with Beta(3, 1) instead of Beta(1, 1): its boost for seed rules.
    """

    def __init__(self, rules: int, draws: np.random.Generator) -> None:
        self._draws = draws
        self._boost = 2.0 * (draws.permutation(rules) < rules // 5)
        self._cells: dict[str, tuple[Array, Array]] = {}
        self._rewards = 0.0
        self._sessions = 0

    def _cell(self, context: str) -> tuple[Array, Array]:
        if context not in self._cells:
            self._cells[context] = ((1 + self._boost).astype(np.float64), np.ones(len(self._boost)))
        return self._cells[context]

    def choose(self, context: str, k: int) -> list[int]:
        """Return the k rules with the largest samples."""
        samples = self._draws.beta(*self._cell(context))
        return [int(rule) for rule in np.argpartition(-samples, k - 1)[:k]]

    def learn(self, context: str, chosen: list[int], reward: float, mistakes: int) -> None:
        """Credit the reward, and one failure per mistake, to every rule chosen."""
        successes, failures = self._cell(context)
        successes[chosen] += reward
        failures[chosen] += 1 - reward + mistakes
        self._rewards += reward
        self._sessions += 1

    def ranking(self, context: str) -> list[int]:
        """Return all rules, best mean first."""
        successes, failures = self._cell(context)
        return [int(rule) for rule in np.argsort(-successes / (successes + failures))]

    def claimed(self) -> set[int]:
        """Return the rules whose lower 95 % bound exceeds the mean reward in some context (normal limits)."""
        mean_reward = self._rewards / max(self._sessions, 1)
        found: set[int] = set()
        for successes, failures in self._cells.values():
            n = successes + failures
            mean = successes / n
            low = mean - 1.96 * np.sqrt(mean * (1 - mean) / (n + 1))
            found.update(int(rule) for rule in np.flatnonzero(low > mean_reward))
        return found
