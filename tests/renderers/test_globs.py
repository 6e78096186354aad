import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from vettle.renderers.globs import NotPortable, canonical, witness
from vettle.renderers.naming import slugs

SEGMENTS = st.one_of(
    st.just("**"),
    st.from_regex(re.compile(r"[a-zA-Z0-9_.*?-]{1,6}|[a-c]?\[a-cX_.]\.?[a-z]?", re.ASCII), fullmatch=True),
)
PATTERNS = st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join)


def matches(pattern: str, path: str) -> bool:
    """Tell whether a canonical pattern matches a path, by a translation written for the tests alone."""
    expression = ""
    for token in re.findall(r"\*\*/|/\*\*$|\*|\?|\[[^]]*\]|.", pattern):
        expression += {"**/": "(?:[^/]+/)*", "/**": "/.+", "*": "[^/]*", "?": "[^/]"}.get(
            token, token if token[0] == "[" and len(token) > 1 else re.escape(token)
        )
    return re.fullmatch(expression, path) is not None


@pytest.mark.parametrize(
    ("given_patterns", "expected"),
    [
        (["*.py"], ["**/*.py"]),
        (["tests/**"], ["**/tests/**"]),
        (["**/*.py"], ["**/*.py"]),
        (["./src/*.py"], ["**/src/*.py"]),
        (["src/"], ["**/src/**"]),
        (["**"], ["**/*"]),
        (["*"], ["**/*"]),
        (["**/**/a/**/**/b"], ["**/a/**/b"]),
        (["a/a/b"], ["**/a/a/b"]),
        (["{src,lib}/**"], ["**/lib/**", "**/src/**"]),
        (["*.{py,pyi}", "*.py"], ["**/*.py", "**/*.pyi"]),
        (["a{b,{c,d}e}f"], ["**/abf", "**/acef", "**/adef"]),
        (["*.py{,i}"], ["**/*.py", "**/*.pyi"]),
        (["test_[a-z0-9].py"], ["**/test_[a-z0-9].py"]),
        ([], []),
    ],
)
def test_canonical_form(given_patterns: list[str], expected: list[str]) -> None:
    """Patterns come out sorted, without braces, each starting with `**/`."""
    assert list(canonical(given_patterns)) == expected


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("", "path segment"),
        ("/tests/**", "tied to the root"),
        ("../x", "path segment '..'"),
        ("a//b", "path segment ''"),
        ("a/./b", "path segment '.'"),
        ("!x.py", "'!'"),
        ("a b", "' '"),
        ("a,b", "','"),
        ("a}", "'}'"),
        ("{a,b", "never closed"),
        ("{a}", "without a comma"),
        ("a**b", "whole path segment"),
        ("[a", "class"),
        ("a]", "class"),
        ("[]", "class"),
        ("[z-a]", "class"),
        ("[a-]", "class"),
        ("[!a]", "'!'"),
        ("[.]", "class"),
        ("a---b", "'---'"),
        ("{-,x}--", "'---'"),
        ("a\nb", r"'\n'"),
        ("é.py", "'é'"),
        ('"x"', "'\"'"),
        ("{a,b}" * 20, "more than 100"),
        ("{" * 150, "never closed"),
        ("x" * 201, "more than 200 characters"),
    ],
)
def test_what_cannot_be_said_everywhere_is_refused(pattern: str, reason: str) -> None:
    """A pattern that some assistant reads differently is refused, and the reason names the trouble."""
    with pytest.raises(NotPortable, match=re.escape(reason)):
        canonical([pattern])


def test_number_of_patterns_is_bounded() -> None:
    """A hundred and one patterns, or very long ones, are refused: the file would outgrow a limit."""
    with pytest.raises(NotPortable, match="100 patterns"):
        canonical([f"a{number}" for number in range(101)])
    with pytest.raises(NotPortable, match="2,000 characters"):
        canonical([f"{'x' * 190}{number}" for number in range(11)])


@settings(max_examples=500, deadline=None)
@given(st.lists(PATTERNS, min_size=1, max_size=3))
def test_witness_is_matched_and_readable(patterns: list[str]) -> None:
    """A witness is a literal path of the set, and makes the bare line sound YAML with the same text."""
    try:
        found = canonical(patterns)
    except NotPortable:
        return
    path = witness(found[0])
    assert re.fullmatch(r"[A-Za-z0-9_./-]+", path)
    assert path[0] != "-" and "---" not in path
    assert matches(found[0], path), (found[0], path)
    line = ",".join((path, *found))
    assert yaml.safe_load(f"globs: {line}\nalwaysApply: false\n") == {"globs": line, "alwaysApply": False}


@settings(max_examples=300, deadline=None)
@given(st.lists(PATTERNS, max_size=4))
def test_canonical_is_stable(patterns: list[str]) -> None:
    """Canonical patterns stay as they are, and the order they are given in does not matter."""
    try:
        found = canonical(patterns)
    except NotPortable:
        return
    assert canonical(found) == found == canonical(reversed(patterns))
    assert all(pattern.startswith("**/") for pattern in found)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("**/*.py", "any.py"),
        ("**/tests/**", "tests/any"),
        ("**/*", "any"),
        ("**/-*", "any/-any"),
        ("**/[._x]?", "_a"),
        ("**/a/**/*.ts", "a/any.ts"),
    ],
)
def test_witness_examples(pattern: str, expected: str) -> None:
    """The witness is the shortest plain path that the pattern matches."""
    assert witness(pattern) == expected
    assert matches(pattern, expected)


@pytest.mark.parametrize(
    ("globs", "expected"),
    [
        (("**/*.py",), "python"),
        (("**/*.py", "**/*.pyi"), "python"),
        (("**/tests/**",), "tests"),
        (("**/*.py", "**/*.ts"), "py-ts"),
        (("**/*",), "all"),
        (("**/src/*.py",), "src-py"),
    ],
)
def test_slug_says_what_the_files_are(globs: tuple[str, ...], expected: str) -> None:
    """A file is named for its language, or else for the words of its patterns."""
    assert slugs([globs]) == {globs: expected}


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(PATTERNS, min_size=1, max_size=3), max_size=5))
def test_slugs_are_distinct_names_in_any_order(sets: list[list[str]]) -> None:
    """Every set of globs has its own safe name, whatever order the sets come in."""
    found = []
    for patterns in sets:
        try:
            found.append(canonical(patterns))
        except NotPortable:
            continue
    names = slugs(found)
    assert len(set(names.values())) == len(set(found))
    assert all(re.fullmatch(r"[a-z0-9-]{1,40}", name) and "---" not in name for name in names.values())
    assert slugs(reversed(found)) == names


def test_clashing_slugs_are_told_apart() -> None:
    """Of two sets with one name the first in sorted order keeps it; the other carries a hash."""
    plain, other = ("**/*.py",), ("**/*.py", "**/*.pyi")
    names = slugs([other, plain])
    assert names[plain] == "python"
    assert re.fullmatch(r"python-[0-9a-f]{6}", names[other])
