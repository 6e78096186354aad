"""What a report, an exit code or a commit says about a session's work, before any of it is recorded."""

from __future__ import annotations

from dataclasses import dataclass

from vettle.engine.records import RewardOutcome, RewardSource


@dataclass(frozen=True)
class Verdict:
    """An outcome with its reason. Without an outcome it is too early to tell, or there is nothing to judge.

    `revision_distance` is in [0, 1] and counts for a revision only. `reference` names what was judged: the same
    reference is rewarded once in a session; "" cannot be told apart and is rewarded every time.
    """

    source: RewardSource
    reason: str
    outcome: RewardOutcome | None = None
    revision_distance: float = 0.0
    reference: str = ""
