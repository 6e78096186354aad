"""Which paths a glob is about."""

from __future__ import annotations

import pytest

from vettle.engine.paths import matches


@pytest.mark.parametrize(
    ("glob", "path", "expected"),
    [
        ("**/*.py", "a.py", True),
        ("**/*.py", "src/deep/a.py", True),
        ("*.py", "src/a.py", True),
        ("tests/**", "sub/tests/a.py", True),
        ("tests/**", "contests/a.py", False),
        ("**/*.{ts,tsx}", "ui/a.tsx", True),
        ("src/*.py", "src/deep/a.py", False),
        ("src/**/a.py", "src/a.py", True),
        ("file?.txt", "file1.txt", True),
        ("file[!0-9].txt", "file1.txt", False),
        ("*.py", "a.PY", False),
        ("a.b", "aXb", False),
        ("[", "[", True),
        ("docs/", "docs/a/b.md", True),
        ("docs/", "docs", False),
        ("a{b,{c,d}e}f", "x/adef", True),
        ("a{b,{c,d}e}f", "adf", False),
        ("{s*,lib}/?.rs", "src/a.rs", True),
        ("{*.py,*.ts}", "deep/a.ts", True),
        ("test_{1,[A-Z]}.py", "test_Q.py", True),
        ("{a,b", "{a,b", True),
        ("a,b", "a,b", True),
        ("a,b", "a", False),
        ("a[!x]b", "a.b", True),
        ("a[!x]b", "a/b", False),
        ("a[.-0]b", "a/b", False),
        ("{a,b}{c,d}[^x]e", "ac/e", False),
        ("[a&&b].py", "&.py", True),
        ("[a||~~b].py", "~.py", True),
        ("[+--].py", ",.py", True),
        ("[z-a].py", "[z-a].py", True),
        ("[!].py", "[!].py", True),
    ],
)
def test_a_glob_matches_at_any_depth(glob: str, path: str, expected: bool) -> None:
    """Globs mean what the rendered files mean: any depth, exact case."""
    assert matches(glob, path) is expected
