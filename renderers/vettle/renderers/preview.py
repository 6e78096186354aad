"""What an assistant would read, without touching a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vettle.engine.records import Rule
from vettle.engine.settings import RenderSettings
from vettle.renderers.plan import Request, texts


def preview(
    root: Path, rules: Sequence[Rule], target: str, settings: RenderSettings | None = None
) -> dict[str, str]:
    """Return the text that vettle would write for one target, by path (InvalidArgument for another name)."""
    return texts(Request(root.resolve(), rules, [target], settings or RenderSettings()))
