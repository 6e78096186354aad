"""What every record is, and the closed lists of words that records and arguments use."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

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
ReportKind = Literal["sessions", "mistakes", "rewards", "rules", "models", "costs", "evidence"]
FileAction = Literal["create", "update", "unchanged", "remove", "refused"]
Refusal = Literal["", "edited", "damaged", "not_ours", "unusable", "unknown_rules"]


class Record(BaseModel):
    """The base of every record: frozen, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
