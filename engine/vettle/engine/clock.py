"""Time as the engine sees it: microseconds since 1970 in UTC, from a clock that tests can replace."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], int]

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def system_clock() -> int:
    """Return the present in microseconds since 1970, UTC."""
    return time.time_ns() // 1_000


def moment(microseconds: int) -> datetime:
    """Return the given time as an aware datetime, exact to the microsecond."""
    return _EPOCH + timedelta(microseconds=microseconds)
