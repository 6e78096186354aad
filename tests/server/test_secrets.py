"""No secret is kept, whichever argument of whichever tool carries it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from tests.server.hostile import NAMED, SECRET, SECRETS, schema_of

from vettle.engine.errors import InvalidArgument, VettleError
from vettle.engine.project import Project
from vettle.engine.quarantine import REDACTED, holds_secret, redact, redact_named
from vettle.engine.store import caches, events, maintenance
from vettle.server.signatures import signature
from vettle.server.tool import Tool
from vettle.server.toolsets import TOOLSETS

TOOLS: dict[str, Tool] = {tool.name: tool for offered in TOOLSETS.values() for tool in offered()}

_METRIC = {"name": "score", "direction": "higher", "unit": "a", "components": []}
_COMPONENTS = {"components": [{"name": "score", "direction": "higher", "range": [0, 1]}]}
_VARIANTS = [
    {"name": "a", "config": {"k": ["v", {"k": "v"}]}, "hint": "h", "description": "d"},
    {"name": "b", "config": {"k": "w"}},
]
_RUN = {
    "unit": "u1",
    "variant": "a",
    "metrics": {"score": 1.0},
    "failure_mode": "f",
    "error": "e",
    "stages": {"k": {"k": ["v"]}},
    "dimensions": {"d": "v"},
    "context": "c",
    "pair_id": "p",
    "stratum": "s",
    "produced_at": "",
}
_IDEAS: list[dict[str, Any]] = [
    {
        "kind": "rule",
        "text": "Sort.",
        "category": "a",
        "context": "b",
        "globs": ["*.py"],
        "rationale": "r",
        "evidence": ["m1"],
    },
    {
        "kind": "experiment",
        "name": "idea",
        "variable": "v",
        "domain": "d",
        "context": "c",
        "variants": _VARIANTS,
        "metric": {"name": "score", "direction": "higher"},
        "rationale": "r",
    },
]
_IDEAS[1]["variants"] = [
    {"name": "a", "config": {"k": "v"}, "hint": "h"},
    {"name": "b", "config": {"k": "w"}, "hint": ""},
]

CALLS: list[tuple[str, dict[str, Any]]] = [
    (
        "session_start",
        {
            "task": "t",
            "context": "c",
            "paths": ["a.py"],
            "tags": ["t"],
            "agent": "a",
            "model": "m",
            "client_ref": "r",
        },
    ),
    ("session_start", {"task": "t", "candidates": ["@rule"]}),
    (
        "mistake_log",
        {
            "error_class": "e",
            "description": "d",
            "session_id": "@session",
            "file": "a.py",
            "correction": "c",
            "corrected_by_rule": "",
            "client_ref": "r",
        },
    ),
    (
        "reward_log",
        {
            "outcome": "accepted",
            "session_id": "@session",
            "rules_active": [],
            "notes": "n",
            "client_ref": "r",
        },
    ),
    ("session_end", {"session_id": "@session", "notes": "n", "entry_file": "a.md", "client_ref": "r"}),
    (
        "rule_add",
        {
            "text": "Sort.",
            "category": "c",
            "context": "c",
            "globs": ["*.py"],
            "rationale": "r",
            "client_ref": "r",
        },
    ),
    ("rule_decide", {"rule_id": "@rule", "action": "retire", "reason": "r", "text": ""}),
    ("rule_decide", {"rule_id": "@rule", "action": "reword", "reason": "r", "text": "Sort imports."}),
    ("rules_list", {"context": "c", "query": "q", "cursor": ""}),
    ("rules_render", {}),
    ("report_get", {"kind": "sessions", "context": "c", "session_id": "s", "cursor": ""}),
    ("status", {}),
    (
        "experiment_create",
        {
            "name": "n",
            "variants": _VARIANTS,
            "metric": _METRIC,
            "guardrails": [{"name": "g", "direction": "lower", "range": [0, 1], "margin": 0.1}],
            "context": "c",
            "domain": "d",
            "variable": "v",
            "description": "d",
            "client_ref": "r",
        },
    ),
    ("experiment_create", {"name": "n", "variants": _VARIANTS, "metric": _COMPONENTS}),
    (
        "experiment_create",
        {
            "name": "n",
            "space": {"d": ["v", {"k": "v"}], "e": ["x"]},
            "constraints": [{"exclude": {"d": "v"}}],
            "metric": _METRIC,
        },
    ),
    (
        "variant_select",
        {
            "experiment": "alpha",
            "unit": "u",
            "context": "c",
            "pair_id": "",
            "stratum": "s",
            "client_ref": "r",
        },
    ),
    ("run_record", {"experiment": "alpha", "runs": [_RUN], "client_ref": "r"}),
    (
        "run_record",
        {"experiment": "alpha", "runs": [{"assignment_id": "@assignment", "metrics": {"score": 1.0}}]},
    ),
    ("experiment_results", {"experiment": "alpha", "metric": "m", "by": ["d"]}),
    ("experiment_decide", {"experiment": "alpha", "action": "pause", "reason": "r"}),
    ("experiments_list", {"context": "c", "cursor": ""}),
    ("choose", {"options": [{"id": "a", "score": 1.0}]}),
    ("space_sample", {"space": {"d": ["v"]}, "constraints": [{"exclude": {"d": "w"}}]}),
    (
        "variable_register",
        {"name": "n", "domain": "d", "aliases": ["a"], "description": "d", "execution": "e"},
    ),
    ("judge_calibrate", {"experiment": "nothing"}),
    ("best_export", {"experiment": "alpha", "metric": "m", "context": "c", "path": "x.json", "prefix": "P"}),
    ("data_import", {"path": "data.json"}),
    ("proposals_make", {"focus": "f", "context": "c", "ask": False}),
    ("proposals_review", {"proposals": [_IDEAS[0]], "accept": True, "proposer": "p", "client_ref": "r"}),
    ("proposals_review", {"proposals": [_IDEAS[1]], "accept": True}),
    (
        "events_query",
        {
            "kinds": ["k"],
            "session_id": "s",
            "subject": "s",
            "choice": "c",
            "since": "",
            "until": "",
            "cursor": "",
        },
    ),
    ("events_query", {"sql": "SELECT 1"}),
    ("performers_list", {"experiment": "alpha", "metric": "m"}),
    ("failures_list", {"context": "c"}),
    ("variants_rank", {"variable": "model", "context": "c", "low_risk": ["c"]}),
]
"""Calls that together use every text argument of every tool."""

_CLOSED = {"kind", "direction", "outcome", "action"}
"""Arguments that take one of a few words."""


def _texts(schema: Any) -> Iterator[str]:
    """Yield the names of the properties of a schema that hold text which is not one of a few words."""
    if isinstance(schema, dict):
        for name, one in schema.get("properties", {}).items():
            if one.get("type") == "string" and not {"enum", "const", "pattern"} & set(one):
                yield name
        for one in schema.values():
            yield from _texts(one)


def _names(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {name for one in value.values() for name in _names(one)}
    return {name for one in value for name in _names(one)} if isinstance(value, list) else set()


def test_the_calls_use_every_text_argument() -> None:
    """A new argument has to be added to the table."""
    for name, tool in TOOLS.items():
        used = set().union(*(_names(given) for called, given in CALLS if called == name))
        missing = set(_texts(schema_of(tool))) - used
        assert not missing, f"{name}: {missing}"


def _places(value: Any) -> Iterator[tuple[Any, ...]]:
    """Yield where a value has text, a key included (the last part of its place is then None)."""
    if isinstance(value, str):
        yield ()
    elif isinstance(value, dict):
        for key, one in value.items():
            if key not in _CLOSED:
                yield from ((key, *rest) for rest in _places(one))
            if key in ("k", "d", "score"):
                yield (key, None)
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from ((index, *rest) for rest in _places(one))


def _with(value: Any, place: tuple[Any, ...], secret: str) -> Any:
    if not place:
        return secret
    first, *rest = place
    if rest == [None]:
        return {(secret if key == first else key): one for key, one in value.items()}
    if isinstance(value, dict):
        return {key: _with(one, tuple(rest), secret) if key == first else one for key, one in value.items()}
    return [_with(one, tuple(rest), secret) if at == first else one for at, one in enumerate(value)]


@cache
def _model(name: str) -> type[BaseModel]:
    return signature(TOOLS[name]).model


def _call(project: Project, name: str, given: Any, known: dict[str, str]) -> Any:
    def named(value: Any) -> Any:
        if isinstance(value, str):
            return known.get(value, value)
        if isinstance(value, list):
            return [named(one) for one in value]
        return {key: named(one) for key, one in value.items()} if isinstance(value, dict) else value

    checked = _model(name).model_validate(named(given))
    return TOOLS[name].function(
        project, **{field: getattr(checked, field) for field in type(checked).model_fields}
    )


def _everything(project: Project) -> str:
    with project.read() as transaction:
        kept = (
            maintenance.tables(transaction),
            list(events.every(transaction)),
            list(caches.replies(transaction)),
        )
    files = [path.read_bytes() for path in project.root.rglob("*") if path.is_file()]
    return repr((kept, files))


def test_no_text_argument_of_any_tool_keeps_a_secret(tmp_path: Path) -> None:
    """Where prose carries one it is replaced, and where a name or a configuration does, the call is refused."""
    project = Project(tmp_path)
    secrets, known = cycle(SECRETS), {}
    added = _call(project, "rule_add", {"text": "Always run the type checker."}, {})
    known["@rule"] = added.rule_id
    _call(project, "experiment_create", {"name": "alpha", "variants": _VARIANTS, "metric": _METRIC}, {})
    known["@assignment"] = _call(
        project, "variant_select", {"experiment": "alpha", "unit": "x"}, {}
    ).assignment_id
    accepted = 0
    for name, given in CALLS:
        for place in _places(given):
            for _ in range(2):
                if name in ("session_end", "reward_log", "mistake_log"):
                    known["@session"] = _call(project, "session_start", {"task": "t"}, {}).session_id
                with suppress(VettleError, ValidationError):
                    _call(project, name, _with(given, place, next(secrets)), known)
                    accepted += 1
    assert accepted > 20, "prose with a secret in it is taken, without the secret"
    everything = _everything(project)
    project.close()
    assert SECRET not in everything and REDACTED in everything


@pytest.mark.parametrize("name", NAMED)
def test_a_setting_whose_name_says_that_it_is_secret_is_refused(name: str) -> None:
    """A password looks like any other word: the name of the setting tells."""
    variants = [{"config": {name: "correct-horse"}}, {"config": {name: "OPENAI_API_KEY"}}]
    with pytest.raises(InvalidArgument, match="environment variable"):
        signature(TOOLS["experiment_create"]).validate({"name": "n", "variants": variants, "metric": _METRIC})
    assert redact_named(name, "correct-horse") == REDACTED
    assert redact_named(name, "OPENAI_API_KEY") == "OPENAI_API_KEY"


@pytest.mark.parametrize(
    "text",
    [
        "max_tokens: 100000",
        "Use tokens sparingly; never commit secrets.",
        "https://user@example.com/x and postgresql://user@db/x",
        "Read the token from the environment.",
        "skip-the-slow-tests-in-this-folder",
        "Authorization is checked in middleware.",
        "The bearer of bad news",
        "def token(self): ...",
    ],
)
def test_what_is_about_secrets_is_none(text: str) -> None:
    """Advice on secrets, addresses without passwords and counts of tokens are kept."""
    assert redact(text) == text and not holds_secret({"about": text})


@pytest.mark.parametrize("secret", SECRETS)
def test_every_kind_is_recognised_wherever_it_stands(secret: str) -> None:
    """At the beginning, in the middle, in quotes and after a line end; what is around it is kept."""
    for text in (secret, f"It failed with {secret}", f"line\n{secret}\n", f"({secret})", f'x="{secret}"'):
        assert SECRET not in redact(text)
        assert redact(redact(text)) == redact(text)
    assert redact(f"It failed with {secret}").startswith("It failed with ")


@pytest.mark.parametrize(
    "unit",
    [
        "a.",
        "a-",
        "-",
        "key ",
        "token: ",
        "password",
        "://",
        "a://b:",
        "eyJaaaaaaaaaaa.",
        "eyJaaaaaaaaaaa-",
        "sk-",
        '"',
    ],
)
def test_redaction_takes_no_longer_for_what_is_made_to_slow_it(unit: str) -> None:
    """Two hundred kilobytes of what nearly matches take well under the time of a call."""
    begun = time.perf_counter()
    redact((unit * 200_000)[:200_000])
    assert time.perf_counter() - begun < 5
