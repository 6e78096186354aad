"""The schema of proposals: strict enough for every endpoint, and what fits it is read back as meant."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.lib._pydantic import to_strict_json_schema
from pydantic import JsonValue, ValidationError
from tests.engine.proposals.loopback import EXPERIMENT, RULE

from vettle.engine.proposals.schema import strict, strict_schema
from vettle.engine.records.proposals import ExperimentProposal, Proposed, RuleProposal, VariantProposal

ALLOWED = {
    "type", "properties", "required", "additionalProperties", "items", "anyOf", "enum", "const", "description",
    "$ref", "$defs",
}  # fmt: skip


def _schemas(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every schema inside a schema, itself first."""
    if isinstance(schema, dict):
        yield schema
        inside = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
        for entry in (*inside, schema.get("items"), *schema.get("anyOf", [])):
            yield from _schemas(entry)


def test_the_schema_keeps_the_strict_rules() -> None:
    """Every object closes and requires all of its fields, the root is an object, references stand alone."""
    schema = strict_schema()
    assert schema["type"] == "object"
    objects = 0
    for one in _schemas(schema):
        assert set(one) <= ALLOWED, one
        if "$ref" in one:
            assert set(one) == {"$ref"} and one["$ref"].removeprefix("#/$defs/") in schema["$defs"]
        if one.get("type") == "object":
            objects += 1
            assert one["additionalProperties"] is False and one["required"] == list(one["properties"])
    assert objects == 6


def test_the_client_library_finds_nothing_to_mend_in_it() -> None:
    """The library's own conversion to strict schemas requires the same fields of the same objects."""
    theirs, ours = to_strict_json_schema(Proposed), strict_schema()
    for name, schema in ours["$defs"].items():
        assert sorted(schema["required"]) == sorted(theirs["$defs"][name]["required"])


def test_a_field_that_is_called_like_a_keyword_is_kept() -> None:
    """Only keywords of the schema are dropped, never fields of the data."""
    fields = {"title": {"type": "string", "title": "x"}, "default": {"type": "number", "default": 1}}
    found = strict({"type": "object", "properties": fields})
    assert found["properties"] == {"title": {"type": "string"}, "default": {"type": "number"}}


@given(st.dictionaries(st.text(max_size=20), st.recursive(
    st.none() | st.booleans() | st.integers(-10**6, 10**6) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
), max_size=5))  # fmt: skip
def test_a_config_reads_back_from_pairs(config: dict[str, JsonValue]) -> None:
    """A config as a list of keys and JSON texts means the same as the object."""
    pairs = [{"key": key, "value": json.dumps(value)} for key, value in config.items()]
    assert VariantProposal.model_validate({"name": "a", "config": pairs}).config == config
    assert VariantProposal.model_validate({"name": "a", "config": config}).config == config


@pytest.mark.parametrize(("config", "words"), [
    ([{"key": "a", "value": "1"}, {"key": "a", "value": "2"}], "'a' twice"),
    ([{"key": "a"}], "an object, or a list"),
    ([{"key": "a", "value": 1}], "a text as every key"),
    ({"a": "x" * 5_000}, "4,000 characters"),
    ([{"key": "a", "value": "NaN"}], "not JSON compliant"),
    ("a=1", "valid dictionary"),
])  # fmt: skip
def test_a_bad_config_is_refused(config: Any, words: str) -> None:
    """What is neither an object nor pairs, or too long, or no JSON, is named."""
    with pytest.raises(ValidationError, match=words):
        VariantProposal.model_validate({"name": "a", "config": config})


def test_a_value_that_is_no_json_is_text() -> None:
    """A model that forgets the quotes still says what it means."""
    pairs = [{"key": "model", "value": "gpt small"}, {"key": "n", "value": "3"}]
    assert VariantProposal.model_validate({"name": "a", "config": pairs}).config == {
        "model": "gpt small",
        "n": 3,
    }


@pytest.mark.parametrize(("kind", "change"), [
    ("rule", {"text": "two\nlines"}),
    ("rule", {"text": "x" * 401}),
    ("rule", {"evidence": ["12"]}),
    ("rule", {"globs": ["../secret"]}),
    ("rule", {"unknown": 1}),
    ("experiment", {"variants": EXPERIMENT["variants"][:1]}),
    ("experiment", {"expected_effect": -1}),
    ("experiment", {"expected_effect": float("nan")}),
    ("experiment", {"metric": {**EXPERIMENT["metric"], "direction": "up"}}),
    ("experiment", {"metric": {**EXPERIMENT["metric"], "range": [0, 1, 2]}}),
    ("experiment", {"kind": "poem"}),
])  # fmt: skip
def test_a_proposal_out_of_limits_is_refused(kind: str, change: dict[str, Any]) -> None:
    """What the schema cannot say is checked when the answer is read."""
    entry = {**(RULE if kind == "rule" else EXPERIMENT), **change}
    with pytest.raises(ValidationError):
        Proposed.model_validate({"proposals": [entry]})


def test_an_agent_may_leave_out_what_has_a_default() -> None:
    """Only the schema of models requires everything; agents name what they mean."""
    rule = RuleProposal(kind="rule", text="Sort imports.")
    assert (rule.category, rule.globs, rule.evidence) == ("general", (), ())
    short = {name: EXPERIMENT[name] for name in ("kind", "name", "variants", "metric")}
    assert ExperimentProposal.model_validate(short).expected_effect == 0
