import math
import re
import unicodedata
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.renderers.report import overviews
from tests.renderers.report.pages import drawings, elements, ids, name, parsed, rich_page, said, skeleton

from vettle.engine.records.overview import Overview
from vettle.renderers.report.html import GENERATOR, as_html
from vettle.renderers.report.text import clean, fitted, width

TAGS = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "footer", "nav", "section", "article", "h1",
    "h2", "h3", "h4", "p", "ul", "ol", "li", "dl", "div", "dt", "dd", "strong", "small", "span", "bdi", "code", "a",
    "time", "figure", "figcaption", "details", "summary", "table", "caption", "thead", "tbody", "tr", "th", "td",
    "svg:svg", "svg:title", "svg:desc", "svg:line", "svg:rect", "svg:circle", "svg:polygon", "svg:polyline",
    "svg:text",
}  # fmt: skip
ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "class", "id", "dir", "href", "aria-labelledby",
    "aria-label", "datetime", "scope", "tabindex", "role", "viewBox", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy",
    "r", "width", "height", "points", "text-anchor",
}  # fmt: skip
JOINERS, UNSEEN = "\u200c\u200d", {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</style><script>alert(1)</script>",
    "</title><svg onload=alert(1)>",
    "</svg><a href='javascript:alert(1)'>x</a>",
    "]]><!-- --><![CDATA[",
    "{{ 7 * 7 }}{% raw %}{0.__class__} %s",
    "&lt;b&gt; &#60;script&#62; &amp;",
    "\x00\x07\x1b[31m\x7f\x85\ud800",
    "\u202eevil\u2066 \u200bhidden \U000e0041\ufeff",
    "\u05e9\u05dc\u05d5\u05dd \U0001f468\u200d\U0001f469\u200d\U0001f467 \u4f60\u597d",
    "a\r\nb\u2028c\u2029d",
    "\ufffe\uffff",
    "x" * 100_000,
    " " * 100_000,
    "<" * 100_000,
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=20), max_size=4).map("".join)
FEW = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def test_the_page_needs_nothing_but_itself() -> None:
    """No script, no link but to a place on the page, nothing to load, and a policy that forbids all of it."""
    document = parsed(rich_page())
    policies = [one.attrib["content"] for one in elements(document, "meta") if "http-equiv" in one.attrib]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    assert {element.attrib["href"][0] for element in elements(document, "a")} == {"#"}
    assert "://" not in rich_page()
    assert "url(" not in rich_page()
    assert "@import" not in rich_page()


@pytest.mark.parametrize("make", [overviews.empty, overviews.small, overviews.rich, overviews.enormous])
def test_only_known_elements_and_attributes_are_on_the_page(make: Callable[[], Overview]) -> None:
    """A strict parser finds nothing that is not in the list, no attribute that runs anything, no id twice."""
    document = parsed(as_html(make()))
    assert {name(element) for element in document.iter()} <= TAGS
    assert {str(key) for element in document.iter() for key in element.attrib} <= ATTRIBUTES
    assert set(ids(document).values()) <= {1}
    targets = {element.attrib["href"].removeprefix("#") for element in elements(document, "a")}
    assert targets <= set(ids(document))


@FEW
@example("".join(HOSTILE))
@example("x" * 100_000)
@given(TEXTS)
def test_no_text_adds_an_element_or_changes_an_attribute(text: str) -> None:
    """Whatever somebody wrote, the page has the same elements and attributes as with a harmless word."""
    page = as_html(overviews.hostile("a" + text))
    assert skeleton(parsed(page)) == skeleton(parsed(as_html(overviews.hostile("word"))))
    assert len(page.encode()) < 500_000


@pytest.mark.parametrize("text", HOSTILE)
def test_every_drawing_is_well_formed_xml(text: str) -> None:
    """A drawing can be cut out of the page and read by an XML parser, whatever names its labels hold."""
    found = list(drawings(as_html(overviews.hostile("a" + text))))
    assert len(found) > 20
    assert all(drawing.attrib["role"] == "img" and drawing[0].tag == "title" for drawing in found)


def test_hostile_text_is_shown_as_it_is() -> None:
    """What looks like markup is read on the page letter by letter."""
    text = "<b onclick='x'>\"&amp;\" {{ 7*7 }} ${x} %s"
    document = parsed(as_html(overviews.hostile(text)))
    assert said(elements(document, "h1")[0]) == text
    assert {said(heading) for heading in elements(document, "h3")} >= {text}


def test_a_quarantined_rule_shows_no_text() -> None:
    """Of quarantined rules there are ids only, and that a person has to look."""
    page = rich_page()
    assert "import-from-wiki-83b1aa" in page
    assert "2 rules must be looked at by a person" in page


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 1e308, -1e308, 0.0, 5e-324])
def test_no_number_breaks_a_drawing(number: float) -> None:
    """NaN, infinities and enormous numbers are left out or said to be unknown; no drawing has one."""
    page = as_html(overviews.with_numbers(overviews.rich(), number))
    parsed(page)
    for drawing in drawings(page):
        for element in drawing.iter():
            places = [
                value for key, value in element.attrib.items() if key not in ("class", "role", "text-anchor")
            ]
            assert all(math.isfinite(float(part)) for place in places for part in re.split("[ ,]", place))
    body = said(elements(parsed(page), "body")[0])
    assert not re.search(r"\b(nan|inf|infinity|none|undefined)\b", body, re.IGNORECASE)


def test_an_enormous_project_stays_small_and_says_what_is_left_out() -> None:
    """With 5,000 rules and 200 experiments of 100 variants the page is below 500 kB, and counts what it hides."""
    overview = overviews.enormous()
    page = as_html(overview)
    text = said(parsed(page))
    assert len(page.encode()) < 500_000
    for total, noun in ((1_000, "rules"), (2_900 + 12, "rules"), (1_000 + 13, "rules"), (202, "experiments")):
        hidden = [
            int(found.replace(",", "")) for found in re.findall(rf"([\d,]+) more {noun} are not shown", text)
        ]
        assert any(0 < total - number <= 40 for number in hidden), (total, noun, hidden)
    assert re.search(r"\d+ more variants are not shown", text)


def test_a_report_is_known_as_one() -> None:
    """The mark by which a report may be replaced stands near its beginning, however long the title is."""
    assert GENERATOR in as_html(overviews.hostile("x" * 100_000))[:500]


def test_the_next_step_is_said_once() -> None:
    """Answers end with the next step, which has a place of its own on the page."""
    overview = overviews.rich()
    answers = [*overview.answers, overview.status.next_step]
    text = said(parsed(as_html(overview.model_copy(update={"answers": answers}))))
    assert text.count(overview.status.next_step) == 1


def test_the_same_record_makes_the_same_page() -> None:
    """The page is a function of the record: no clock, no chance, no order of a set."""
    assert as_html(overviews.rich()) == as_html(overviews.rich()) == rich_page()


def test_headings_descend_one_level_at_a_time() -> None:
    """There is one h1, no level is skipped, and every section is named by its heading."""
    document = parsed(rich_page())
    levels = [int(name(element)[1]) for element in document.iter() if re.fullmatch("h[1-6]", name(element))]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    headings = {element.attrib["id"] for element in elements(document, "h2")}
    assert {element.attrib["aria-labelledby"] for element in elements(document, "section")} == headings


def test_tables_name_their_rows_and_columns() -> None:
    """Every heading of a table says whether it is one of a row or of a column."""
    document = parsed(rich_page())
    assert len(elements(document, "table")) > 5
    assert {element.attrib.get("scope") for element in elements(document, "th")} == {"row", "col"}


def test_every_plot_has_its_numbers_in_words() -> None:
    """The numbers of the plots over time stand in tables, and those of the intervals beside them."""
    document = parsed(rich_page())
    text = said(document)
    overview = overviews.rich()
    for period in overview.work.periods:
        assert period.score is None or f"{period.score:.2f}" in text
    for standing in (*overview.proven, *overview.trial):
        assert f"{abs(standing.rule.low):.2f} to" in text
    for model in overview.models.contexts[0].variants if overview.models else []:
        assert f"{model.value}{100 * model.mean:.0f} %" in text


def test_an_empty_project_is_told_what_to_do_first() -> None:
    """Nothing recorded: no plot and no table, but the three first steps."""
    document = parsed(as_html(overviews.empty()))
    assert not elements(document, "svg:svg")
    assert not elements(document, "table")
    assert "vettle init" in said(document)
    assert "vettle rule add" in said(document)


def test_what_cannot_be_said_is_not_said() -> None:
    """A rule without an outlook has none, and one with an outlook says sessions and days."""
    text = said(parsed(as_html(overviews.small())))
    assert text.count("No date yet: it") == 3
    assert (
        "About 58 more sessions with it prove it, if what is believed now is right: about 9 days at the present pace."
        in text
    )
    assert "Nothing is proven yet." in text


def test_evidence_is_worded_as_the_inequality_says_it() -> None:
    """Evidence of 23.4 means a chance of at most 1 in 23: rounded so that no more is claimed than is known."""
    text = said(parsed(rich_page()))
    assert (
        "evidence 23 If the rule did not help, evidence would ever get to 23 with a chance of at most 1 in 23,"
        in text
    )
    assert "1 in 24" not in text


def test_a_frozen_verdict_counts() -> None:
    """Of an experiment that was closed, the verdict of that moment is shown, whatever came later."""
    overview = overviews.rich()
    closed = overview.experiments[2]
    assert closed.results.verdict is not None
    later = closed.results.verdict.model_copy(update={"outcome": "insufficient", "leader": None})
    changed = closed.model_copy(update={"results": closed.results.model_copy(update={"verdict": later})})
    text = said(parsed(as_html(overview.model_copy(update={"experiments": [changed]}))))
    assert "A winner short prompt" in text
    assert "verdict frozen when it was closed" in text


@given(st.text(), st.integers(2, 50))
def test_cleaned_text_is_short_and_shows_every_character(text: str, most: int) -> None:
    """A text fits its place on one line, and nothing in it is invisible or turns the direction."""
    cleaned = clean(text, most)
    assert len(cleaned) <= most
    assert cleaned == cleaned.strip()
    assert not {unicodedata.category(character) for character in cleaned if character not in JOINERS} & UNSEEN
    assert not set(cleaned) & set("\n\r\t\x00\u202a\u202e\u2066\u2069\u200b\ufeff")


@given(st.text(min_size=1), st.floats(2, 40))
def test_a_fitted_label_is_no_wider_than_its_room(text: str, room: float) -> None:
    """A label of a plot is cut to its room, by an estimate that counts wide characters as wide."""
    assert width(fitted(text, room)) <= room
