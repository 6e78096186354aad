"""What a record or an error says to an agent, said to a person: tools are named as the commands that do the same."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from vettle.engine.records.base import Record

AnyRecord = TypeVar("AnyRecord", bound=Record)

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
    "experiments_list": "experiments",
    "variants_rank": "models",
    "space_sample": "space",
    "variable_register": "variable",
    "judge_calibrate": "experiment calibrate",
    "proposals_make": "propose",
    "proposals_review": "propose --review FILE",
    "best_export": "export best",
    "events_query": "events",
    "data_import": "import",
    "failures_list": "failures",
    "performers_list": "evidence --experiment",
}
"""The tools that sentences name, with their commands; `choose` and `status` are called alike."""

_TOOLS = "|".join(COMMANDS)
_TOOL = re.compile(rf"(?<![\w'\"/.-])([Cc]all )?({_TOOLS})\b(?![-'\"/]|\.\w)")
"""A tool in a sentence of ours; a name in quotes is what somebody sent, and one with an ending is a file."""

_PHRASES = (
    # A tool and its command side by side: a person needs the command.
    (re.compile(rf"\b(?:{_TOOLS})\b[^.:()]*? \((vettle [^)]+)\)"), r"\1"),
    (re.compile(rf"\b(?:{_TOOLS})\b(?: with \w+ \w+)?, or (vettle )"), r"\1"),
    (re.compile(r"\b(?:[Cc]all )?report_get kind (?=[a-z])"), "vettle "),
    # What is an argument of the tool, and an option of the command.
    (re.compile(r"(?<=rules_render) with write true\b"), " --write"),
    (re.compile(r"(?<=proposals_review)(?: with the same proposals and|,? with) accept true\b"), " --accept"),
)
_SENTENCES = frozenset({"advice", "answers", "headline", "next_step", "note", "notes", "reasons", "warnings"})
"""The fields of records that hold sentences of ours, and nothing that somebody sent."""
_RUN = {"Call ": "Run ", "call ": "run "}


def for_people(text: str) -> str:
    """Return a sentence of a record, or an error, with commands in place of tools; the JSON of a call stays as it is."""
    said, begins, call = text.partition(' {"')
    for pattern, instead in _PHRASES:
        said = pattern.sub(instead, said)
    said = _TOOL.sub(lambda found: f"{_RUN.get(found[1], '')}vettle {COMMANDS[found[2]]}", said)
    return said + begins + call


def worded(record: AnyRecord) -> AnyRecord:
    """Return a record as it is said to people: commands in place of tools in every sentence of ours in it."""
    return record.model_copy(
        update={name: _worded(name, getattr(record, name)) for name in type(record).model_fields}
    )


def _worded(name: str, value: Any) -> Any:
    if isinstance(value, Record):
        return worded(value)
    if isinstance(value, (list, tuple)):
        return type(value)(_worded(name, one) for one in value)
    return for_people(value) if name in _SENTENCES and isinstance(value, str) else value
