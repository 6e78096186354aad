"""Mergeable moments: the one aggregate, and the one table it lives in.

A row of `stat` holds count, mean and sum of squared deviations of one metric under one key
(family, a, b, c). Two rows merge exactly (Chan, Golub & LeVeque 1983), so an observation is an upsert,
shards and imports are merges, and nothing is ever recounted to be read.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass

from vettle.engine.store.events import Transaction


@dataclass(frozen=True)
class Moments:
    """Count, mean, and sum of squared deviations of a metric, with its extremes."""

    n: float = 0.0
    mean: float = 0.0
    m2: float = 0.0
    low: float = math.inf
    high: float = -math.inf

    def __add__(self, other: Moments) -> Moments:
        """Return the moments of both samples together."""
        if not self.n or not other.n:
            return self if self.n else other
        n = self.n + other.n
        difference = other.mean - self.mean
        return Moments(
            n=n,
            mean=self.mean + difference * other.n / n,
            m2=self.m2 + other.m2 + difference * difference * self.n * other.n / n,
            low=min(self.low, other.low),
            high=max(self.high, other.high),
        )

    @property
    def variance(self) -> float | None:
        """The unbiased variance, or None below two observations."""
        return self.m2 / (self.n - 1) if self.n > 1 else None

    @property
    def total(self) -> float:
        """The sum of the observations."""
        return self.n * self.mean


@dataclass(frozen=True)
class Observation:
    """One value of one metric, under the key it is counted under (the families are listed in `folds`)."""

    family: str
    a: str
    b: str
    metric: str
    value: float


@dataclass(frozen=True)
class Stat:
    """One aggregate: its key within a family, and its moments over all shards."""

    a: str
    b: str
    metric: str
    moments: Moments


def observe(transaction: Transaction, observations: Iterable[Observation]) -> None:
    """Add the observations to their aggregates."""
    added = {
        (row.family, row.a, row.metric, row.b): Moments(1.0, row.value, 0.0, row.value, row.value)
        for row in observations
    }
    if transaction.gathered is None:
        _add(transaction, added)
        return
    for key, moments in added.items():
        transaction.gathered[key] = transaction.gathered.get(key, Moments()) + moments


@contextmanager
def gathering(transaction: Transaction) -> Iterator[None]:
    """Add what many events bring to each aggregate once, at the end, instead of one event after the other.

    A row that is updated ten thousand times in one transaction leaves as many versions behind on a server, and
    every further update steps over them. Within another `gathering` it is that one which adds.
    """
    if transaction.gathered is not None:
        yield
        return
    transaction.gathered = {}
    try:
        yield
        _add(transaction, transaction.gathered)
    finally:
        transaction.gathered = None


_ROWS_AT_A_TIME = 500

_SHARD = 0
"""The shard that is written: writers of a project queue, so spreading a row over several would gain nothing."""


def _add(transaction: Transaction, added: Mapping[tuple[str, str, str, str], Moments]) -> None:
    """Merge moments into the table, in key order (which avoids deadlocks between writers)."""
    keys = sorted(added)
    for start in range(0, len(keys), _ROWS_AT_A_TIME):
        some = keys[start : start + _ROWS_AT_A_TIME]
        parameters: list[str | int | float] = []
        for key in some:
            family, a, metric, b = key
            parameters += (transaction.project, family, a, b, 0, metric, _SHARD)
            parameters += (*astuple(added[key]), transaction.now)
        values = ",".join(["(?,?,?,?,?,?,?,?,?,?,?,?,?)"] * len(some))
        transaction.execute(_UPSERT.format(values=values), parameters)


_UPSERT = """INSERT INTO stat(project, family, a, b, c, metric, shard, n, mean, m2, lo, hi, ts) VALUES {values}
 ON CONFLICT(project, family, a, c, metric, b, shard) DO UPDATE SET
 n=stat.n+excluded.n,
 mean=stat.mean+(excluded.mean-stat.mean)*excluded.n/(stat.n+excluded.n),
 m2=stat.m2+excluded.m2+(excluded.mean-stat.mean)*(excluded.mean-stat.mean)*stat.n*excluded.n/(stat.n+excluded.n),
 lo=CASE WHEN excluded.lo<stat.lo THEN excluded.lo ELSE stat.lo END,
 hi=CASE WHEN excluded.hi>stat.hi THEN excluded.hi ELSE stat.hi END,
 ts=excluded.ts"""


def stats(transaction: Transaction, family: str, *, since: str = "") -> list[Stat]:
    """Return the aggregates of a family whose `a` is `since` or later, shards merged."""
    if transaction.gathered:
        _add(transaction, transaction.gathered)
        transaction.gathered.clear()
    rows = transaction.execute(
        "SELECT a, b, metric, n, mean, m2, lo, hi FROM stat"
        " WHERE project=? AND family=? AND a>=? ORDER BY a, metric, b",
        (transaction.project, family, since),
    )
    merged: dict[tuple[str, str, str], Moments] = {}
    for key_a, key_b, metric, *numbers in rows:
        key = (key_a, key_b, metric)
        merged[key] = merged.get(key, Moments()) + Moments(*numbers)
    return [Stat(*key, moments) for key, moments in merged.items()]
