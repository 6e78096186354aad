"""README's picture shows the report as it is now, all that it is said to show, and is small."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest
from docs.generator import picture
from PIL import Image
from tests import chromium
from tests.docs.pages import ROOT, pictures
from tests.renderers.report import overviews

from vettle.renderers.report.html import as_html

LARGEST = 250_000
NUMBERS = ("no", "one", "two", "three", "four", "five", "six")


def test_readmes_picture_is_of_todays_report() -> None:
    """What it was made of is how the demo's report begins now, to the letter: else make it anew and look at it.

    Nothing in that beginning depends on the machine, its fonts, the time or what is drawn at random.
    """
    then, now = picture.markup(picture.PICTURE), picture.beginning(picture.report())
    changed = [
        *difflib.unified_diff(then.splitlines(), now.splitlines(), "picture", "report", lineterm="", n=0)
    ]
    if changed:
        lines = "\n".join(changed[:20])
        pytest.fail(f"README's picture is stale. Run: python -m docs --picture\n{lines}", pytrace=False)


def test_its_alternative_text_is_true() -> None:
    """Who cannot see it is told the right number of proven rules, and it is no burden to load."""
    [described] = [text for file, text in pictures(ROOT / "README.md") if ROOT / file == picture.PICTURE]
    rules = picture.markup(picture.PICTURE).count("proven since")
    assert f"{NUMBERS[rules]} rules proven" in described
    assert picture.PICTURE.stat().st_size < LARGEST


def test_a_picture_goes_stale_by_what_it_shows_and_by_nothing_else() -> None:
    """A rule, a word of the summary and a style count; what stands further down in the report does not."""
    rich = overviews.rich()
    page = as_html(rich)
    shown = picture.beginning(page)
    assert rich.proven and rich.decisions and rich.experiments
    further_down = rich.model_copy(update={"decisions": [], "experiments": []})
    assert picture.beginning(as_html(further_down)) == shown
    for other in (
        as_html(rich.model_copy(update={"proven": rich.proven[::-1]})),
        as_html(rich.model_copy(update={"answers": ["Something else.", *rich.answers[1:]]})),
        page.replace("line-height: 1.22", "line-height: 1.2"),
    ):
        assert picture.beginning(other) != shown


def test_a_picture_keeps_what_it_shows(tmp_path: Path) -> None:
    """It is as wide as planned whatever the fonts are, reaches below the first screen, and holds its markup."""
    page, file = as_html(overviews.rich()), tmp_path / "report.png"
    picture.make(page, file, chromium.required())
    assert picture.markup(file) == picture.beginning(page)
    assert file.stat().st_size < LARGEST
    with Image.open(file) as image:
        width, height = image.size
        assert width == 1040 and height > 1_000
        assert len(image.crop((0, height - 400, width, height)).getcolors() or ()) > 10
