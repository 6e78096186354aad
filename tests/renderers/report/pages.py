"""Reports read back by parsers that are not ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from xml.etree.ElementTree import Element

import html5lib
from defusedxml.ElementTree import fromstring
from tests.renderers.report import overviews

from vettle.renderers.report.html import as_html

_HTML = "{http://www.w3.org/1999/xhtml}"
_SVG = "{http://www.w3.org/2000/svg}"


@cache
def rich_page() -> str:
    """Return the report of the rich project."""
    return as_html(overviews.rich())


def parsed(page: str) -> Element:
    """Return the document as a browser builds it; ParseError where the page is not what the standard asks for."""
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), strict=True)
    document: Element = parser.parse(page)
    return document


def name(element: Element) -> str:
    """Return the tag of an element without its namespace; "svg:" marks those inside a drawing."""
    tag = str(element.tag)
    return tag.replace(_HTML, "").replace(_SVG, "svg:")


def elements(document: Element, tag: str) -> list[Element]:
    """Return all elements of this name."""
    return [element for element in document.iter() if name(element) == tag]


def said(element: Element) -> str:
    """Return the text of an element, with single spaces."""
    return " ".join("".join(element.itertext()).split())


def skeleton(document: Element) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """Return all elements with their attributes, but without texts and without the places of drawings."""
    places = {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height", "points"}
    return [
        (
            name(element),
            tuple(sorted((str(key), value) for key, value in element.attrib.items() if key not in places)),
        )
        for element in document.iter()
    ]


def ids(document: Element) -> Counter[str]:
    """Count the ids of a document."""
    return Counter(element.attrib["id"] for element in document.iter() if "id" in element.attrib)


def drawings(page: str) -> Iterator[Element]:
    """Yield every drawing of a page, read as XML; ParseError where one is not well-formed."""
    rest = page
    while "<svg" in rest:
        start = rest.index("<svg")
        end = rest.index("</svg>", start) + len("</svg>")
        yield fromstring(rest[start:end])
        rest = rest[end:]
