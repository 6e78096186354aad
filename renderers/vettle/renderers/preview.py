"""What an assistant would read, without touching a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vettle.engine.records import Rule
from vettle.engine.settings import RenderSettings
from vettle.renderers.compose import compose
from vettle.renderers.survey import Request, survey


def preview(
    root: Path, rules: Sequence[Rule], target: str, settings: RenderSettings | None = None
) -> dict[str, str]:
    """Return the text that vettle would write for one target, by path (InvalidArgument for another name)."""
    documents, _ = compose(survey(Request(root.resolve(), rules, [target], settings or RenderSettings())))
    return {document.path: document.text for document in documents}
