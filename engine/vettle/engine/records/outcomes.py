"""What a report, an exit code or a commit said about a session's work, and what was recorded of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vettle.engine.records.base import Record, RewardOutcome, RewardSource
from vettle.engine.records.sessions import MistakeLogged, RewardLogged


class OutcomeFound(Record):
    """The answer to `vettle reward --from-...`. An empty outcome is no verdict, and then nothing is recorded.

    `revision_distance` is 0 for accepted and 1 for rejected. `reward` is None without a verdict and in a dry run;
    `mistakes` are those that this call logged or had logged already; `mistakes_known` counts the failed tests that
    something else, such as a hook, had noticed in the session before.
    """

    session_id: str
    source: RewardSource
    outcome: RewardOutcome | Literal[""]
    revision_distance: float = Field(ge=0, le=1)
    reason: str
    applied: bool
    reward: RewardLogged | None = None
    mistakes: list[MistakeLogged] = []
    mistakes_known: int = 0
    next_step: str
