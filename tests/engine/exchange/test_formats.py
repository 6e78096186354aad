"""Whatever a configuration holds, each format is read back as exactly that, by readers that are not ours."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from vettle.engine.errors import InvalidArgument
from vettle.engine.exchange.formats import MARK, as_json, as_yaml, dotenv, markdown
from vettle.engine.quarantine import visible
from vettle.engine.records import ExperimentVerdict, VariantResult
from vettle.engine.records.exports import BestConfiguration, Cost, Distribution, Timing, Tokens

NAN = float("nan")

# The values of PromptLooper's exports of which 2 of 17 could be read back, then those for .env.
NASTY: list[Any] = [
    "no", "1.0", "a: b", "l1\nl2", "- x", "a #c", "", [True, None], [[1, 2], [3]], {}, [], [{"a": 1, "b": 2}],
    "@x", "*", "2026-01-01", NAN, "x\nweighted_score: 99",
    "Line one\nLine two # note", "a=b $HOME \"q\" 's'", None, True, "007", "1\nPATH=/evil",
    "ends in \\", "\\\\", "\\n", "${HOME}", "${HOME:-x}", "$(id)", "`id`", "'", '"', "\\'", '\\"', " x ", "\t",
    "a\rb", "a\r\nb", "a\0b", "\x81ā\x88", "\x85\u2028\ufeff", "#", "!", "~", "${VETTLE_END}", math.inf, -math.inf,
    1e300, -0.0, 10**30, {"$number": "NaN"}, {"$$number": {"$number": 1}}, 0.1, False,
]  # fmt: skip

HEADINGS = [
    "Best Configuration", "Configuration Space", "Run Summary", "Top Configurations", "Best Configuration Detail",
    "Verdict", "Scores", "Score Distributions", "Token Usage", "Cost", "Timing", "Notes",
]  # fmt: skip

FRAGMENTS = [
    "'", '"', "\\", "$", "${", "}", "${HOME}", "`", "``", "```", "$(id)", "\n", "\r", "\0", "\x85", "\u2028", "\ufeff",
    "\x81", "ā", "#", " ", "=", "!", "*", "~", "%", "|", "-", "---", ":", "[", "](", "<script>", "<!--", "-->", "&lt;",
    "# H", "\n\n## H\n", "\n| a | b |\n", "@", "x", "é", "\U0001f600", "no", "1.", "\n```\n", "- ", "\t", "\x1b",
]  # fmt: skip

hostile = st.one_of(st.text(max_size=20), st.lists(st.sampled_from(FRAGMENTS), max_size=8).map("".join))
values = st.recursive(
    st.one_of(hostile, st.none(), st.booleans(), st.integers(), st.floats()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(hostile, inner, max_size=3)),
    max_leaves=6,
)
configs = st.dictionaries(hostile, values, max_size=4)


def exported(config: dict[str, Any], **changes: Any) -> BestConfiguration:
    """Return the best of an experiment in which everything is named `text`, with this configuration."""
    text = changes.pop("text", "plain")
    row = VariantResult(
        id=text[:12], name=text, control=False, n=3, missing=0, statuses={"completed": 3}, mean=0.5, low=0.1, high=0.9,
        shrunk=0.4, chance_best=None, expected_loss=None, eliminated=False, duration_ms=1.5, tokens=None, cost=0.25,
        failure_modes={text: 1},
    )  # fmt: skip
    verdict = ExperimentVerdict(
        outcome="better", leader=text, losers=[text], compared=[text, text], estimate=0.2, low=0.1, high=None,
        alpha=0.05, shrunk=0.15, shrunk_sd=0.1, e_value=50.0, blocks=40, more_mean=3, more_ninetieth=9,
        reasons=[text], next_step=text, blocked_by=[], asymptotic=False, unit="blocks",
    )  # fmt: skip
    spread = Distribution(metric=text, count=3, minimum=0.0, maximum=1.0, mean=0.5, deviation=None)
    values: dict[str, Any] = {
        "experiment_id": "e-1", "experiment_name": text, "description": text, "state": "running",
        "exported_at": "2027-01-15T08:00:00+00:00", "metric": text, "direction": "higher", "metric_unit": text,
        "exploratory": False, "variant": text or "v", "proven": True, "answer": text, "config": config,
        "config_hash": "0" * 64, "n": 3, "mean": 0.5, "low": 0.1, "high": 0.9, "shrunk": 0.4, "scores": {text: 0.5},
        "verdict": verdict, "alternatives": [row, row], "space": {text: [text]}, "runs": 6, "scored": 6,
        "statuses": {"completed": 6}, "failure_modes": {text: 1}, "distributions": [spread],
        "tokens": Tokens(tokens_in=1, tokens_out=2, total=3), "cost": Cost(total=1.5, per_run=0.25, runs=6),
        "timing": Timing(fastest=1.0, slowest=2.0, average=1.5, total=9.0, runs=6), "notes": [text],
    }  # fmt: skip
    return BestConfiguration(**values | changes)


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal in value and type, NaN like NaN and 0.0 unlike -0.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(map(str, one)) == list(map(str, other)) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return repr(one) == repr(other)


def sourced(text: str) -> dict[str, str]:
    """Return what a POSIX shell sets when it reads the text as a script, and nothing of what it had."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "best.env"
        file.write_bytes(text.encode())
        program = [
            str(shutil.which("sh")),
            "-efac",
            f'. "$1"; exec {shutil.which("env")} -0',
            "sh",
            str(file),
        ]
        done = subprocess.run(program, env={}, cwd=folder, capture_output=True, check=True)
    assert done.stderr == b""
    found = dict(line.split("=", 1) for line in done.stdout.decode().split("\0") if line)
    return {name: value for name, value in found.items() if name not in ("PWD", "OLDPWD", "SHLVL", "_")}


def loaded(text: str) -> dict[str, str | None]:
    """Return what python-dotenv reads from a file with this text."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "best.env"
        file.write_bytes(text.encode())
        return dict(dotenv_values(file))


def check_dotenv(config: dict[str, Any], text: str) -> None:
    """Check that both readers read every variable and nothing else."""
    found = sourced(text)
    assert found == loaded(text)
    expected = dotenv.names(config)
    helpers = {
        "VETTLE_DOLLAR": "$",
        "VETTLE_BACKTICK": "`",
        "VETTLE_END": "",
        "VETTLE_CONFIG": found["VETTLE_CONFIG"],
    }
    assert found == {name: value for name, value in helpers.items() if name in found} | expected
    assert same(as_json.loads(found["VETTLE_CONFIG"]), config)


def refused(constant: str) -> None:
    """Refuse what standard JSON does not have."""
    raise AssertionError(constant)


# --- every format ---------------------------------------------------------------------------------


@pytest.mark.parametrize("value", NASTY, ids=repr)
def test_nasty_values_come_back_beside_a_harmless_one(value: Any) -> None:
    """JSON, YAML and .env give back the value, its type and its neighbour."""
    config = {"nasty": value, "harmless": 1}
    best = exported(config)
    for parse, text in (
        (as_json.parse, as_json.render(best)),
        (as_yaml.parse, as_yaml.render(best)),
        (dotenv.parse, dotenv.render(best)),
    ):
        assert same(parse(text), config)
    check_dotenv(config, dotenv.render(best))
    [block] = [token for token in tokens(markdown.render(best)) if token.type == "fence"][1:]
    assert same(as_json.loads(block.content), config)


@given(config=configs)
@settings(max_examples=100, deadline=None)
def test_any_configuration_comes_back(config: dict[str, Any]) -> None:
    """A configuration of any nesting, with any keys and values, comes back from every format."""
    best = exported(config)
    assert same(as_json.parse(as_json.render(best)), config)
    assert same(as_yaml.parse(as_yaml.render(best)), config)
    text = dotenv.render(best)
    assert same(dotenv.parse(text), config)
    check_dotenv(config, text)


@given(text=hostile)
@settings(max_examples=60, deadline=None)
def test_no_name_or_description_gets_out_of_its_place(text: str) -> None:
    """Hostile names, sentences and metrics change neither the configuration nor what else is in the file."""
    config = {"model": "m", "n": 1}
    best = exported(config, text=text)
    assert json.loads(as_json.render(best))["experiment_name"] == text
    assert same(as_json.parse(as_json.render(best)), config)
    parsed = yaml.safe_load(as_yaml.render(best))
    assert parsed == json.loads(as_json.render(best))
    assert loaded(dotenv.render(best)) == {"VETTLE_CONFIG": '{"model": "m", "n": 1}', "MODEL": "m", "N": "1"}
    assert sourced(dotenv.render(best)) == loaded(dotenv.render(best))


def test_every_export_is_marked_near_its_beginning() -> None:
    """A later export may replace only what bears the mark."""
    best = exported({}, text="long" * 100)
    for module in (as_json, as_yaml, dotenv, markdown):
        assert MARK in module.render(best)[:100]


# --- JSON and YAML --------------------------------------------------------------------------------


def test_json_is_standard_and_spells_what_it_lacks() -> None:
    """NaN and infinities are no bare words, which other parsers refuse, and a look-alike is told apart."""
    text = as_json.render(exported({"a": NAN, "b": [math.inf], "c": {"$number": "NaN"}}))
    config = json.loads(text, parse_constant=refused)["config"]
    assert config == {"a": {"$number": "NaN"}, "b": [{"$number": "Infinity"}], "c": {"$$number": "NaN"}}
    assert text.isascii()


def test_yaml_quotes_all_text_and_repeats_what_occurs_twice() -> None:
    """A reader of YAML 1.1 or 1.2 takes "no" and "1.0" for text, and meets no anchor."""
    twice = ["no"]
    text = as_yaml.render(exported({"a": twice, "b": twice, "on": "1.0"}))
    assert text.isascii()
    assert '"on": "1.0"' in text
    assert "&" not in text and "*" not in text


# --- .env -----------------------------------------------------------------------------------------


def test_names_are_portable_and_say_the_way_to_the_value() -> None:
    """Nested keys are joined, in upper case, of letters, digits and underscores, and never begin with a digit."""
    config = {"Model": {"name": "m", "sp ace-dash": 1}, "7": 2, "": 3, "größe": 4, "empty": {}}
    assert dotenv.names(config) == {
        "CONFIG_": "3",
        "EMPTY": "{}",
        "GR_SSE": "4",
        "MODEL_NAME": "m",
        "MODEL_SP_ACE_DASH": "1",
        "_7": "2",
    }


def test_keys_that_would_collide_are_all_kept() -> None:
    """a.b, a_b and a nested b have names of their own, which do not depend on what else there is."""
    both = dotenv.names({"a.b": 1, "a_b": 2, "c": 3})
    assert sorted(both.values()) == ["1", "2", "3"]
    assert both["C"] == "3"
    assert "A_B" not in both
    three = dotenv.names({"a.b": 1, "a_b": 2, "a": {"b": 4}})
    assert {name for name in both if name != "C"} < set(three)
    taken = dict.fromkeys(both, 0)
    assert len(dotenv.names({"a.b": 1, "a_b": 2, **taken})) == 2 + len(taken)


@pytest.mark.parametrize(
    "name",
    ["path", "HOME", "ld_preload", "Bash_Env", "ENV", "ifs", "ps4", "PYTHONPATH", "node.options", "GIT_DIR", "_",
     "optind", "vettle_config", "VETTLE_DOLLAR", "https-proxy", "prompt_command", "ssl_cert_file", "openssl_conf", "dotnet.startup_hooks"],
)  # fmt: skip
def test_no_configuration_sets_what_shells_and_loaders_act_on(name: str) -> None:
    """Such a name gets CONFIG_ in front, also below a prefix that would make one."""
    [found] = dotenv.names({name: "/evil"})
    assert found.startswith("CONFIG_")
    assert dotenv.names({"preload": "/evil"}, "LD_") == {"CONFIG_LD_PRELOAD": "/evil"}
    text = dotenv.render(exported({name: "/evil"}))
    assert set(sourced(text)) == {found, "VETTLE_CONFIG"}


def test_a_prefix_goes_before_every_name() -> None:
    """Two configurations can live in one environment; a prefix that is no name is refused."""
    text = dotenv.render(exported({"model": "m", "path": "x"}), "APP_")
    assert set(loaded(text)) == {"VETTLE_CONFIG", "APP_MODEL", "APP_PATH"}
    assert dotenv.parse(text, "APP_") == {"model": "m", "path": "x"}
    for prefix in ("app_", "A B", "A=1\nB", "$A"):
        with pytest.raises(InvalidArgument, match="prefix"):
            dotenv.render(exported({"model": "m"}), prefix)


def test_values_that_a_program_reads() -> None:
    """Text is itself; other types are JSON, but for numbers that JSON lacks; what no file can hold is JSON too."""
    config: dict[str, Any] = {
        "a": None,
        "b": True,
        "c": "007",
        "d": 7,
        "e": NAN,
        "f": [1, "x"],
        "g": "1\r2",
        "h": "l1\nl2",
        "i": {},
    }
    found = loaded(dotenv.render(exported(config)))
    del found["VETTLE_CONFIG"]
    assert found == {
        "A": "null", "B": "true", "C": "007", "D": "7", "E": "NaN", "F": '[1, "x"]', "G": '"1\\r2"', "H": "l1\nl2",
        "I": "{}",
    }  # fmt: skip


def test_plain_values_need_no_interpolation() -> None:
    """Readers that expand nothing get ordinary values as they are, `$HOME` and blanks included."""
    text = dotenv.render(exported({"a": 'cost $HOME `id` "q" # no', "b": "it's"}))
    assert "A='cost $HOME `id` \"q\" # no'\n" in text
    assert dotenv_values(stream=StringIO(text), interpolate=False)["B"] == "it's"
    assert "VETTLE_DOLLAR" not in text


def test_an_edited_file_is_not_read_back_as_what_it_was() -> None:
    """Who changed a variable and not the whole configuration is told, as is who passes another file."""
    text = dotenv.render(exported({"model": "m"}))
    with pytest.raises(InvalidArgument, match="VETTLE_CONFIG"):
        dotenv.parse(text.replace("MODEL='m'", "MODEL='n'"))
    with pytest.raises(InvalidArgument, match="VETTLE_CONFIG"):
        dotenv.parse("MODEL=m\n")


def test_the_environment_of_the_reader_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that looks like an expansion is not expanded, whatever is set."""
    monkeypatch.setitem(os.environ, "HOME", "/root")
    assert (
        loaded(dotenv.render(exported({"a": "${HOME} $HOME ${HOME:-x} '"})))["A"]
        == "${HOME} $HOME ${HOME:-x} '"
    )


# --- Markdown -------------------------------------------------------------------------------------


def tokens(text: str) -> list[Token]:
    """Parse as GitHub does, tables included, HTML passed on."""
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)


def headings(parsed: list[Token]) -> list[str]:
    """Return the texts of all headings."""
    return [parsed[at + 1].content for at, token in enumerate(parsed) if token.type == "heading_open"]


def cells(parsed: list[Token]) -> Iterator[int]:
    """Yield how many cells each row has."""
    number = 0
    for token in parsed:
        number += token.type in ("td_open", "th_open")
        if token.type == "tr_close":
            yield number
            number = 0


def inline(parsed: list[Token]) -> list[Token]:
    """Return the inline tokens of all blocks."""
    return [child for token in parsed for child in token.children or []]


@given(text=hostile, config=configs)
@settings(max_examples=120, deadline=None)
def test_a_report_has_our_structure_whatever_names_hold(text: str, config: dict[str, Any]) -> None:
    """Headings, rows, cells and lists are ours; nothing becomes a link, an image or HTML; the config reads back."""
    plain = tokens(markdown.render(exported({"a": 1})))
    parsed = tokens(markdown.render(exported(config, text=text)))
    assert headings(parsed) == HEADINGS
    assert list(cells(parsed)) == list(cells(plain)) == [10] * 3 + [2] * 2 + [6] * 2
    assert not any(token.type.startswith("html") for token in [*parsed, *inline(parsed)])
    assert not {"link_open", "image", "em_open", "strong_open", "s_open"} & {
        token.type for token in inline(parsed)
    }
    [space, detail] = [token.content for token in parsed if token.type == "fence"]
    assert as_json.loads(space) == {text: [text]}
    assert same(as_json.loads(detail), config)
    if text.strip():
        blocks = [token.type for token in parsed if not token.hidden]
        assert blocks == [token.type for token in plain if not token.hidden]


@given(text=hostile)
@settings(max_examples=120, deadline=None)
def test_names_and_sentences_are_read_as_they_are(text: str) -> None:
    """A code span shows the name, and a sentence its words, hidden characters written out."""
    for document in (
        f"| x | y |\n| --- | --- |\n| {markdown.cell(text)} | z |",
        f"- Name: {markdown.code(text)}, z",
    ):
        spans = [token.content for token in inline(tokens(document)) if token.type == "code_inline"]
        assert spans == [visible(text) or "(empty)"]
    said = inline(tokens(f"- Answer: {markdown.prose(text)}"))
    assert "".join(token.content for token in said) == f"Answer: {visible(' '.join(text.split()))}".strip()


def test_an_experiment_without_a_best_has_every_section() -> None:
    """A report of nothing says so under the same headings."""
    nothing = exported(
        {}, variant="", config_hash="", n=0, scores={}, verdict=None, alternatives=[], distributions=[], space={},
        statuses={}, failure_modes={}, notes=[], description="", metric_unit="", mean=None, low=None, high=None,
        shrunk=None, timing=Timing(fastest=None, slowest=None, average=None, total=0, runs=0),
        cost=Cost(total=0, per_run=None, runs=0),
    )  # fmt: skip
    parsed = tokens(markdown.render(nothing))
    assert headings(parsed) == HEADINGS
    assert list(cells(parsed)) == []
    assert [token.content for token in parsed if token.type == "inline"].count("None.") == 6
