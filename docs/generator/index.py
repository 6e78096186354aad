"""The index of the documentation: every page with its first sentence, by what its reader is about to do."""

from __future__ import annotations

import re
from collections.abc import Iterator

from docs.generator import ROOT
from docs.generator.wording import cell

FOLDER = ROOT / "docs"

_TOP = """\
# Documentation

One page for each task: what you get, and the command that does it. New here? [Getting started](start.md) takes a minute.

This page is written by `python -m docs` from the first lines of the others.
"""

GROUPS = {
    "Begin": ("start", "connecting", "claude-code", "hooks", "coming-from"),
    "Every day": ("rule-files", "finding-rules", "report", "outcomes", "command-line"),
    "Find out what is better": ("experiments", "models", "analysis", "proposals", "adapters"),
    "Look after it": ("settings", "sharing", "upkeep", "troubleshooting", "scale", "clickhouse"),
    "Why you may believe it": ("how-it-decides", "security", "benchmarks"),
    "Look it up": ("tools", "records", "commands"),
}
"""Which page belongs where; a page that is in no group stands under "More"."""


def page(generated: dict[str, str]) -> str:
    """Return the whole page; `generated` holds the pages that are written at the same time, by name."""
    there = {path.stem for path in FOLDER.glob("*.md")} | generated.keys()
    grouped = {name for names in GROUPS.values() for name in names}
    groups = GROUPS | {"More": tuple(sorted(there - grouped - {"index"}))}
    parts = [_TOP]
    for group, names in groups.items():
        rows = [_row(name, generated) for name in names if name in there]
        if rows:
            parts.append("\n".join([f"## {group}\n", "| page | what you get |\n|---|---|", *rows, ""]))
    parts.append("\n".join(_decisions()))
    return "\n".join(parts).rstrip() + "\n"


def _row(name: str, generated: dict[str, str]) -> str:
    text = generated.get(name) or (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    title, sentence = _first(text)
    return f"| [{title}]({name}.md) | {cell(sentence)} |"


def _first(text: str) -> tuple[str, str]:
    """Return the title and the first sentence of running text."""
    title, *rest = re.sub(r"```.*?```|<!--.*?-->", "", text, flags=re.DOTALL).split("\n\n")
    paragraph = next((part for part in rest if part.strip() and part.strip()[0] not in "#|-<1"), "")
    sentence = re.split(r"(?<=[.?])\s", " ".join(paragraph.split()))[0]
    return title.removeprefix("# ").strip(), re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", sentence)


def _decisions() -> Iterator[str]:
    yield "## Decisions\n"
    for path in sorted((FOLDER / "decisions").glob("*.md")):
        title, _ = _first(path.read_text(encoding="utf-8"))
        yield f"- [{title}](decisions/{path.name})"
