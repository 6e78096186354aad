"""Writes the reference from what is described: the running server, the records, the command line.

Nothing here is installed with vettle. `python -m docs` runs it.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""


def generated() -> dict[Path, str]:
    """Return what every generated file should hold."""
    from docs.generator import commands, index, manifests, records, story, tools

    told = story.tell()
    pages = {"tools": tools.page(told), "records": records.page(), "commands": commands.page()}
    pages["index"] = index.page(pages)
    return {
        **{ROOT / "docs" / f"{name}.md": text for name, text in pages.items()},
        **manifests.manifests(told.tools),
    }
