"""What a record says to an agent, said to a person: tools are named as the commands that do the same."""

from __future__ import annotations

import re

COMMANDS = {
    "session_start": "session start",
    "session_end": "session end",
    "mistake_log": "mistake",
    "reward_log": "reward",
    "rule_add": "rule add",
    "rule_decide": "rule decide",
    "rules_list": "rules",
    "rules_render": "render",
    "experiment_create": "experiment create",
    "variant_select": "experiment select",
    "run_record": "experiment record",
    "experiment_results": "experiment results",
    "experiment_decide": "experiment decide",
    "report_get": "report",
}
"""The tools that sentences name, with their commands."""
_TOOL = re.compile(rf"\b([Cc]all )?({'|'.join(COMMANDS)})\b")
_RUN = {"Call ": "Run ", "call ": "run "}


def for_people(text: str) -> str:
    """Return a sentence of a record with commands in place of tools."""
    return _TOOL.sub(lambda found: f"{_RUN.get(found[1], '')}vettle {COMMANDS[found[2]]}", text)
