"""What reports and provenance call a file: the same wherever the project is checked out."""

from __future__ import annotations

from pathlib import Path

from vettle.engine.project import Project


def display(project: Project, path: Path) -> str:
    """Return a file's path relative to the project, or only its name if it lies outside."""
    real, root = path.resolve(), project.root.resolve()
    inside = real.is_relative_to(root)
    return (real.relative_to(root) if inside else Path(real.name)).as_posix()
