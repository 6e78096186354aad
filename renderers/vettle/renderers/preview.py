"""What an assistant would read, without touching a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vettle.engine.records import Rule
from vettle.renderers.sheet import arrange
from vettle.renderers.targets import choose, documents


def preview(root: Path, rules: Sequence[Rule], target: str) -> dict[str, str]:
    """Return the text that vettle would write for one assistant, by path (InvalidArgument for another name)."""
    devin = (root / ".devin").is_dir()
    return {
        document.path: document.text
        for assistant in choose([target], ())
        for document in documents(assistant.target, arrange(rules), devin=devin)
    }
