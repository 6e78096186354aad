import re
from importlib.resources import files

import pytest

SHEETS = files("vettle.renderers.report") / "templates"
TEXT = [
    ("ink", "paper"), ("ink", "card"), ("soft", "paper"), ("soft", "card"), ("accent", "paper"), ("helps", "helps-paper"),
    ("hurts", "hurts-paper"), ("ink", "plain-paper"), ("ink", "hurts-paper"),
    *(("heat-ink", f"heat-{shade}") for shade in range(7)),
]  # fmt: skip
SHAPES = [
    "open", "helps", "hurts", "zero", "bar-edge", "part", "accent", "series-1", "series-2", "series-3", "series-4",
]  # fmt: skip


def schemes() -> dict[str, dict[str, str]]:
    """Return the colours of the light and the dark scheme."""
    light, dark, _ = (SHEETS / "colours.css").read_text(encoding="utf-8").split("@media")
    return {
        scheme: dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", text))
        for scheme, text in (("light", light), ("dark", dark))
    }


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_shapes_stand_out(scheme: str) -> None:
    """Text has a contrast of at least 4.5, and what a plot is made of at least 3, in both schemes (AA)."""
    colours = schemes()[scheme]
    for ink, paper in TEXT:
        assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
    for shape in SHAPES:
        assert contrast(colours[shape], colours["paper"]) >= 3, shape


def test_colours_are_said_in_one_place() -> None:
    """Both schemes name the same colours, and the style sheet uses those names and no colour of its own."""
    light, dark = schemes().values()
    style = (SHEETS / "style.css").read_text(encoding="utf-8")
    assert light.keys() == dark.keys()
    assert set(re.findall(r"var\(--([a-z0-9-]+)\)", style)) == light.keys()
    assert not re.search(r"#[0-9a-fA-F]{3}|rgb|hsl", style)
