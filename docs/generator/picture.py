"""README's picture: the beginning of the demo's report, with the markup that it shows kept inside the file.

Fonts differ between machines, so no pixel can say whether the picture is still true. The markup can: the demo has a seed,
and its clock begins at a fixed moment, so the same code makes the same markup wherever it runs.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stdout
from itertools import count
from pathlib import Path

import anyio
from mcp import Client
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from docs.generator import ROOT
from docs.generator.browser import Browser
from docs.generator.hosting import ClockedHost, serving
from vettle.engine.clock import SECOND
from vettle.engine.overview import gathering
from vettle.engine.project import Project
from vettle.renderers.report.html import as_html
from vettle.server.commands.demonstrating import loop
from vettle.server.commands.demonstrating.repository import imported, temporary_repository
from vettle.server.commands.wording import worded

PICTURE = ROOT / "docs" / "images" / "report.png"

_BEGIN = 1_795_000_000 * SECOND
"""The demo's first moment, in microseconds since 1970."""
_STEP = SECOND // 1_000
"""How much later it is whenever the clock is read, in microseconds: events have an order, and all are of one day."""

_REST = '<section aria-labelledby="trial">'
_KEYWORD = "Markup"
_WIDTH = 1040
_ROOM = 6_000
"""Of a screen that is higher than the page, no scroll bar takes a part of the width."""
_COLOURS = 128


def beginning(page: str) -> str:
    """Return the report as far as the picture shows it: its style, the summary and what is proven."""
    shown, rest, _ = page.partition(_REST)
    assert rest, f"the report has no {_REST}"
    return shown


def report() -> str:
    """Play the demo on a server in this process and return its report; nothing in the beginning of it is drawn anew."""
    clock = count(_BEGIN, _STEP).__next__
    with redirect_stdout(io.StringIO()), temporary_repository(keep=False) as root:
        project = Project(root, clock=clock, environment={})
        try:
            ids = imported(project)
        finally:
            project.close()
        host = ClockedHost(root, clock)
        try:
            anyio.run(_play, host, root, ids)
            return as_html(worded(gathering.gather(host.project)))
        finally:
            host.close()


async def _play(host: ClockedHost, root: Path, ids: Sequence[str]) -> None:
    async with Client(serving(host)) as client:
        await loop.play(client, root, ids, loop.SESSIONS, loop.SEED)


def make(page: str, picture: Path, executable: str) -> None:
    """Photograph the beginning of a report in a browser, in light colours, and write it with its markup as PNG.

    It is 1040 pixels wide, and as high as the fonts of this machine make it.
    """
    shown = beginning(page)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        file, taken = Path(folder) / "report.html", Path(folder) / "report.png"
        file.write_text(shown, encoding="utf-8")
        with Browser(executable, Path(folder) / "profile") as browser:
            browser.show(_WIDTH, _ROOM)
            browser.open(file)
            browser.show(_WIDTH, browser.evaluate("Math.ceil(document.body.getBoundingClientRect().bottom)"))
            browser.photograph(taken)
        with Image.open(taken) as image:
            small = image.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    kept = PngInfo()
    kept.add_itxt(_KEYWORD, shown, zip=True)
    small.save(picture, optimize=True, pnginfo=kept)


def markup(picture: Path) -> str:
    """Return the markup that a picture shows, or "" if this module did not make it."""
    with Image.open(picture) as image:
        image.load()
        return str(image.info.get(_KEYWORD, ""))
