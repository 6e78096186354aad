import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vettle.renderers.imports.frontmatter import LONGEST, Parts, at_commas, split

LINES = st.lists(
    st.sampled_from(
        [
            "---",
            "--- ",
            "globs: **/*.py",
            "- a",
            "  - '*'",
            "x",
            "",
            "a: [b",
            "a: {b, c}/**",
            "? k",
            "\ufeff",
            "a: !b",
            "!!timestamp x",
            "&a [*a]",
            "'q': \"r\"",
            "# c",
            "\t- t",
            "a: b: c",
            "paths:",
            "\x00",
            "...",
            "%YAML 9",
        ]
    ),
    max_size=8,
)
TEXTS = st.one_of(
    st.tuples(LINES, st.sampled_from(["\n", "\r\n", "\r"])).map(
        lambda given: given[1].join(["---", *given[0]])
    ),
    st.text(max_size=60),
)


def values(*lines: str) -> dict[str, object]:
    """Return what is read of these lines of frontmatter."""
    parts = split("\n".join(["---", *lines, "---", "Body."]))
    assert parts.problem == ""
    assert (parts.body, parts.body_line) == ("Body.", len(lines) + 3)
    return dict(parts.values)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("globs: **/*.py", "**/*.py"),
        ("globs: *.py", "*.py"),
        ("globs: !src/**", "!src/**"),
        ("globs: {src,lib}/**", "{src,lib}/**"),
        ("globs: {src,lib}", "{src,lib}"),
        ("globs: src/**/*.ts, docs/*.md", "src/**/*.ts, docs/*.md"),
        ('globs: "**/*.py"', "**/*.py"),
        ("globs: '**/*.py' # ours", "**/*.py"),
        ("globs: **/*.py # ours", "**/*.py"),
        ('globs: ["a", "b"]', ["a", "b"]),
        ("globs: [**/*.py, 'b']", ["**/*.py", "b"]),
        ("globs: [a, null]", ["a", "null"]),
        ("globs: [x", "[x"),
        ("globs: []", []),
        ("globs:", None),
        ("globs: ~", None),
        ("globs: 'null'", "null"),
        ("globs:**/*.py", "**/*.py"),
        ('"globs": a', "a"),
        ("globs: 2024-13-45", "2024-13-45"),
        ("globs: true", True),
        ("globs: 'true'", "true"),
        ("globs: yes", "yes"),
        ("globs: FALSE", False),
    ],
)
def test_one_line_means_what_its_author_meant(line: str, expected: object) -> None:
    """A value is read as YAML where it is YAML, and as it stands where it only looks like it."""
    assert values(line) == {"globs": expected}


def test_a_block_list_is_read_even_where_yaml_gives_up() -> None:
    """A star at the start of an element is an alias to YAML; the list is read all the same."""
    assert values("paths:", "  - **/*.py", '  - "b"', "- c # ours") == {"paths": ["**/*.py", "b", "c"]}


def test_a_broken_value_does_not_spoil_its_neighbours() -> None:
    """A description that is no YAML costs nothing but itself, and a long one may go on below."""
    found = values("description: Rules: the best", "globs:", "  - 'a'", "alwaysApply: false", "name: x", "")
    assert found == {"description": "Rules: the best", "globs": ["a"], "alwaysApply": False, "name": "x"}


def test_mappings_and_lists_of_mappings_stay_as_they_are_written() -> None:
    """What no assistant reads as a scope is kept as text, not guessed at."""
    assert values("metadata:", "  a: b", "list: [{a: b}]") == {"metadata": "a: b", "list": ["{a: b}"]}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Text.\n",
        "---\nText without an end.\n",
        "---\n- Use tabs.\n---\nMore.\n",
        "Text.\n---\nkey: value\n---\n",
        "----\na: b\n----\n",
    ],
)
def test_rulers_without_keys_are_markdown(text: str) -> None:
    """A file that merely uses rulers keeps every line in its body."""
    assert split(text) == Parts({}, text, 1, "")


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_the_body_knows_its_line(mark: str, newline: str) -> None:
    """Line numbers hold behind a byte order mark, blank lines and every kind of line end."""
    text = mark + newline.join(["", "---", "a: b", "---", "Body.", "End"])
    assert split(text) == Parts({"a": "b"}, newline.join(["Body.", "End"]), 5, "")


def test_frontmatter_may_be_empty_or_end_the_file() -> None:
    """Nothing between the rulers, and nothing behind them, are both sound."""
    assert split("---\n---\nBody.") == Parts({}, "Body.", 3, "")
    assert split("---\na: b\n---") == Parts({"a": "b"}, "", 3, "")


def test_what_cannot_be_read_is_named_by_its_line() -> None:
    """The problem says where in the file it is, and no value is given away."""
    parts = split("---\na: b\nglobs: x: y\n  oops\n---\nBody.")
    assert (dict(parts.values), parts.body) == ({}, "Body.")
    assert parts.problem == "line 3 of the frontmatter cannot be read"
    assert "more than" in split("---\na: " + "x" * LONGEST + "\n---\n").problem


def test_a_frontmatter_nested_without_end_is_no_crash() -> None:
    """Brackets by the thousand exhaust a parser, not the reader."""
    assert split("---\na: " + "[" * 5_000 + "\n---\n").values == {"a": "[" * 5_000}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b", ["a", "b"]),
        ("**/*.{ts,tsx}, *.js ,", ["**/*.{ts,tsx}", "*.js"]),
        ("{a,{b,c}},d", ["{a,{b,c}}", "d"]),
        ("a},b", ["a}", "b"]),
        (" , ", []),
    ],
)
def test_commas_in_braces_do_not_separate(text: str, expected: list[str]) -> None:
    """`**/*.{ts,tsx}` is one pattern."""
    assert at_commas(text) == expected


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_any_text_is_cut_without_loss(text: str) -> None:
    """Never raises; the body is the end of the text, and starts in the line it says."""
    parts = split(text)
    assert text.endswith(parts.body)
    before = text[: len(text) - len(parts.body)].replace("\r\n", "\n").replace("\r", "\n")
    assert parts.body_line == 1 + before.count("\n")
    for value in parts.values.values():
        elements = value if isinstance(value, list) else [value]
        assert all(element is None or isinstance(element, str | bool) for element in elements)
