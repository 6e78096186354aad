"""The calls that the tool reference shows: what a project holds before, and one example for each tool.

They are one story. SEED happens first; then every tool of the list has its turn, in the order of the list.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

Arguments = dict[str, Any]


@dataclass(frozen=True)
class Example:
    """A call that shows what a tool is for, calls that it refuses, and the parts of its answer that fill a page."""

    arguments: Arguments = field(default_factory=dict)
    mistakes: tuple[Arguments, ...] = ()
    hidden: tuple[str, ...] = ()


_RULES = (
    "Run the type checker before you say that you are done.",
    "Write the failing test first.",
    "Name the unit in every variable that holds a duration.",
    "Ask before you change a public interface.",
)
_PASSED = {"name": "passed", "direction": "higher", "kind": "binary", "minimum_effect": 0.2}
_WORDINGS = [
    {"name": "short", "config": {"prompt": "Fix it."}, "control": True},
    {"name": "long", "config": {"prompt": "Think, then fix it."}},
]


def _sessions() -> list[tuple[str, Arguments]]:
    calls: list[tuple[str, Arguments]] = []
    for number in range(3):
        ref = f"earlier-{number}"
        calls.append(
            (
                "session_start",
                {"task": "fix the login test", "context": "bug-fix", "seed": number, "client_ref": ref},
            )
        )
        calls.append(
            (
                "mistake_log",
                {
                    "error_class": "missing-import",
                    "description": "NameError: name 're' is not defined",
                    "correction": "import re",
                    "client_ref": ref,
                },
            )
        )
        calls.append(("session_end", {"outcome": "accepted" if number else "rejected", "client_ref": ref}))
    return calls


def _runs() -> list[tuple[str, Arguments]]:
    calls: list[tuple[str, Arguments]] = []
    rows = []
    for number in range(24):
        unit = f"task-{number}"
        calls.append(("variant_select", {"experiment": "wording", "unit": unit}))
        passed = float(number % 4 != 1)
        rows.append({"assignment_id": unit, "metrics": {"passed": passed}, "cost": 0.02, "tokens_out": 300})
    rows[3] = {"assignment_id": "task-3", "status": "failed", "failure_mode": "tests", "cost": 0.02}
    calls.append(("run_record", {"experiment": "wording", "runs": rows}))
    models = [
        {
            "unit": f"m-{number}",
            "variant": ("small", "large")[number % 2],
            "context": "docs",
            "metrics": {"success": float(number % 3 > 0)},
            "cost": 0.01 + 0.03 * (number % 2),
        }
        for number in range(12)
    ]
    calls.append(("run_record", {"experiment": "routing", "runs": models}))
    return calls


_CREATE = "experiment_create"
SEED: list[tuple[str, Arguments]] = [
    *(("rule_add", {"text": text, "source": "human", "client_ref": text[:20]}) for text in _RULES),
    *_sessions(),
    (
        _CREATE,
        {
            "name": "wording",
            "variants": _WORDINGS,
            "metric": _PASSED,
            "variable": "prompt",
            "client_ref": "w",
        },
    ),
    (
        _CREATE,
        {
            "name": "routing",
            "variants": [{"name": name, "config": {"model": name}} for name in ("small", "large")],
            "metric": {"name": "success", "direction": "higher", "kind": "binary"},
            "variable": "model",
            "client_ref": "routing",
        },
    ),
    *_runs(),
]
"""What happens before the examples: rules, three sessions that made the same mistake, two experiments with results."""

FILES = {
    "ledger.json": json.dumps(
        [
            {
                "domain": "video",
                "experiment_id": "ab12cd34",
                "variable": "hook",
                "variant": variant,
                "metric_values": {"retention": 40 + number},
                "winner": False,
                "timestamp": f"2026-03-0{number + 1}T10:00:00+00:00",
            }
            for number, variant in enumerate(("question", "claim"))
        ]
    ),
}
"""Files of the project, of another system."""

_PROPOSAL = {"kind": "rule", "text": "Run the formatter after each edit.", "evidence": ["m1"]}

EXAMPLES: dict[str, Example] = {
    "session_start": Example(
        {
            "task": "fix the logout test",
            "context": "bug-fix",
            "agent": "claude-code",
            "seed": 7,
            "client_ref": "t-1",
        },
        ({"task": ""}, {"task": "fix it", "k": 11}),
    ),
    "mistake_log": Example(
        {
            "error_class": "missing-import",
            "description": "NameError: name 're' is not defined",
            "file": "src/login.py",
            "client_ref": "m-1",
        },
        ({"error_class": "x", "description": "y", "file": "../secret"},),
    ),
    "reward_log": Example(
        {"outcome": "revision", "revision_distance": 0.2, "source": "human", "client_ref": "r-1"},
        ({"outcome": "great"},),
    ),
    "session_end": Example(
        {"notes": "The fixture was stale.", "client_ref": "e-1"},
        ({"session_id": "s-000000000000"},),
    ),
    "rule_add": Example(
        {
            "text": "Import every module that you use.",
            "globs": ["**/*.py"],
            "source": "mistake",
            "client_ref": "a-1",
        },
        ({"text": "password=hunter2horse9"},),
    ),
    "rule_decide": Example(
        {"rule_id": "write-the-failing-test-first-1c1a82", "action": "pin", "reason": "The team decided so."},
        ({"rule_id": "write-the-failing-tests", "action": "pin", "reason": "typo"},),
    ),
    "rules_list": Example({"limit": 2}, ({"status": "good"},)),
    "rules_render": Example({"targets": ["claude"]}, ({"targets": ["emacs"]},)),
    "experiment_create": Example(
        {
            "name": "temperature",
            "space": {"temperature": [0, 1]},
            "metric": {"name": "seconds", "direction": "lower", "kind": "duration", "minimum_effect": 5},
            "client_ref": "x-1",
        },
        (
            {"name": "temperature"},
            {"name": "temperature", "variants": [{"name": "only"}], "metric": {"name": "seconds"}},
        ),
    ),
    "variant_select": Example(
        {"experiment": "wording", "unit": "task-24", "context": "bug-fix"}, ({"experiment": "wordings"},)
    ),
    "run_record": Example(
        {
            "experiment": "wording",
            "runs": [{"assignment_id": "task-24", "metrics": {"passed": 1}, "duration_ms": 4200}],
        },
        ({"experiment": "wording", "runs": []},),
    ),
    "experiment_results": Example({"experiment": "wording"}, ({"experiment": "wording", "metric": "speed"},)),
    "experiment_decide": Example(
        {"experiment": "temperature", "action": "pause", "reason": "The machine is shared today."},
        ({"experiment": "temperature", "action": "pause", "reason": ""},),
    ),
    "report_get": Example({"kind": "mistakes"}, ({"kind": "mistakes", "period": "a month"},)),
    "status": Example(),
    "experiments_list": Example({"state": "running"}, ({"limit": 1000},)),
    "choose": Example(
        {"options": [{"id": "a", "score": 1}, {"id": "b"}, {"id": "c", "score": 5}], "seed": 3},
        ({"options": []},),
    ),
    "space_sample": Example({"space": {"model": ["a", "b"], "temperature": [0, 0.5, 1]}, "n": 2, "seed": 7}),
    "variable_register": Example({"name": "tone", "aliases": ["voice"], "execution": "Edit tone.txt."}),
    "judge_calibrate": Example({"experiment": "wording", "simulations": 20}),
    "variants_rank": Example({"context": "docs", "limit": 2}),
    "proposals_make": Example({"ask": False}, (), ("evidence", "proposal_schema", "instructions")),
    "proposals_review": Example(
        {"proposals": [_PROPOSAL], "proposer": "claude-code"}, ({"proposals": [{}]},)
    ),
    "best_export": Example({"experiment": "wording", "format": "env", "prefix": "APP_"}),
    "events_query": Example({"kinds": ["rule_added"], "limit": 1}, ({"sql": "DELETE FROM event"},)),
    "data_import": Example({"path": "ledger.json"}, ({"path": "no-such-file.json"},)),
    "performers_list": Example({"experiment": "wording", "top": 1}),
    "failures_list": Example(),
}
"""One example for each tool."""
