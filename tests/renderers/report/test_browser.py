from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docs.generator.browser import Browser
from tests import chromium
from tests.renderers.report import overviews
from tests.renderers.report.test_html import HOSTILE

from vettle.renderers.report.html import as_html

SIZES = ((1280, 900, 1.0), (390, 844, 2.0))
WIDTHS = (320, 390, 768, 1280)
PAGES = {
    "empty": overviews.empty,
    "small": overviews.small,
    "rich": overviews.rich,
    "hostile": lambda: overviews.hostile("a" + "".join(text[:300] for text in HOSTILE[:-2])),
    "long": lambda: overviews.hostile("W" * 500),
    "enormous": overviews.enormous,
}

OPENED = "document.querySelectorAll('details').forEach(one => one.open = true)"
WIDE = "Math.max(document.scrollingElement.scrollWidth, innerWidth)"
"""A telephone zooms out to show what is too wide, and calls that its inner width."""

OVERLAPS = """
[...document.querySelectorAll('svg')].flatMap(drawing => {
  const boxes = [...drawing.querySelectorAll('text')].map(text => ({said: text.textContent, box: text.getBoundingClientRect()}))
    .filter(({box}) => box.width > 0);
  return boxes.flatMap((one, place) => boxes.slice(place + 1)
    .filter(other => one.box.left < other.box.right - 0.5 && other.box.left < one.box.right - 0.5
                  && one.box.top < other.box.bottom - 2 && other.box.top < one.box.bottom - 2)
    .map(other => one.said + ' / ' + other.said));
})
"""

CLIPPED = """
[...document.querySelectorAll('svg text')].filter(text => {
  const inner = text.getBoundingClientRect(), outer = text.ownerSVGElement.getBoundingClientRect();
  return inner.width > 0 && (inner.left < outer.left - 1 || inner.right > outer.right + 1
                             || inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1);
}).map(text => text.textContent).concat(
  [...document.querySelectorAll('h1, h2, h3, h4, p, li, dt, dd, td, th, summary, figcaption')]
    .filter(one => !one.closest('.unseen') && one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0
                   && getComputedStyle(one).display !== 'inline')
    .map(one => one.tagName + ': ' + one.textContent.slice(0, 60)))
"""

UNSEEN_HEADINGS = """
[...document.querySelectorAll('h1, h2, h3, h4')]
  .filter(one => { const box = one.getBoundingClientRect();
                   return box.width < 1 || box.height < 10 || box.left < 0 || box.right > innerWidth + 1; })
  .map(one => one.textContent)
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Start a browser for the tests of this file."""
    with Browser(chromium.required(), tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a report of every kind of project."""
    made = tmp_path_factory.mktemp("reports")
    for name, make in PAGES.items():
        (made / f"{name}.html").write_text(as_html(make()), encoding="utf-8")
    return made


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_loaded_and_nothing_complains(browser: Browser, folder: Path, name: str) -> None:
    """The only request is the file, and the console stays silent."""
    file = folder / f"{name}.html"
    browser.show(1280, 900)
    browser.open(file)
    browser.evaluate("new Promise(done => setTimeout(done, 50))")
    requests = [event["params"]["request"]["url"] for event in _of(browser, "Network.requestWillBeSent")]
    assert requests == [file.as_uri()]
    for method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
        assert _of(browser, method) == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_the_page_fits_every_screen(browser: Browser, folder: Path, name: str, width: int) -> None:
    """No page scrolls sideways, no label of a plot meets another or is cut, and every heading is seen."""
    browser.show(width, 900)
    browser.open(folder / f"{name}.html")
    browser.evaluate(OPENED)
    assert browser.evaluate(WIDE) <= width
    assert browser.evaluate(OVERLAPS) == []
    assert browser.evaluate(CLIPPED) == []
    assert browser.evaluate(UNSEEN_HEADINGS) == []


def test_assistive_technology_finds_its_way(browser: Browser, folder: Path) -> None:
    """The accessibility tree has one h1, the landmarks, and a name for every picture and section."""
    browser.open(folder / "rich.html")
    nodes = [node for node in browser.call("Accessibility.getFullAXTree")["nodes"] if not node["ignored"]]
    roles = [node["role"]["value"] for node in nodes]
    headings = [node for node in nodes if node["role"]["value"] == "heading"]
    assert [_level(node) for node in headings].count(1) == 1
    assert {"banner", "main", "navigation", "contentinfo", "table", "columnheader", "rowheader"} <= set(roles)
    pictures = [node for node in nodes if node["role"]["value"] in ("image", "img", "region")]
    assert len(pictures) > 20
    assert all(node["name"]["value"] for node in pictures)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height", "scale"), SIZES)
def test_both_schemes_are_drawn(
    browser: Browser, folder: Path, tmp_path: Path, width: int, height: int, scale: float, scheme: str
) -> None:
    """A picture of the first screen is taken, and its paper is light or dark as the reader asked for."""
    browser.show(width, height, scale, scheme)
    browser.open(folder / "rich.html")
    picture = tmp_path / f"report-{width}-{scheme}.png"
    browser.photograph(picture)
    assert picture.stat().st_size > 20_000
    paper = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (int(paper.removeprefix("rgb(").split(",")[0]) > 128) == (scheme == "light")


def test_the_first_screen_says_what_to_do(browser: Browser, folder: Path) -> None:
    """On a desktop the headline, the four numbers and the next step are seen without scrolling."""
    browser.show(1280, 900)
    browser.open(folder / "rich.html")
    bottoms = "['.headline', '.numbers', '.next'].map(one => document.querySelector(one).getBoundingClientRect().bottom)"
    assert max(browser.evaluate(bottoms)) < 900


def _of(browser: Browser, method: str) -> list[dict[str, Any]]:
    return [event for event in browser.events if event.get("method") == method]


def _level(node: dict[str, Any]) -> int:
    return next(int(entry["value"]["value"]) for entry in node["properties"] if entry["name"] == "level")
