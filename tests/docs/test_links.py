"""Links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from docs.generator import ROOT as CHECKOUT
from tests.docs.pages import PAGES, ROOT, anchors, links, name


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_to_files_and_headings_resolve(page: Path) -> None:
    """A link to a file of the repository, or to a heading, finds it, also in letter case."""
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(ROOT) and target.exists(), f"{name(page)}: {link}"
        assert not anchor or anchor in anchors(target), f"{name(page)}: no heading for {link}"


def test_every_page_can_be_reached_from_the_index() -> None:
    """docs/index.md links to every page for users, so that nothing is written for nobody."""
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    pages = set((ROOT / "docs").glob("*.md")) - {index}
    assert {name(page) for page in pages - linked} == set()
    assert CHECKOUT == ROOT


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("## Is all well?", "is-all-well"),
        ("## `.vettle/config.toml`", "vettleconfigtoml"),
        ("### session_start", "session_start"),
        ("## A [link](x.md), and more", "a-link-and-more"),
    ],
)
def test_anchors_are_those_of_github(tmp_path: Path, heading: str, anchor: str) -> None:
    """Anchors are lower case, without punctuation, with hyphens for spaces; the second of a name has a number."""
    page = tmp_path / "page.md"
    page.write_text(f"{heading}\n\n{heading}\n", encoding="utf-8")
    assert anchors(page) == {anchor, f"{anchor}-1"}
