"""The repository that the demo works in: a temporary one, with the rule files that vettle itself is developed by."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from vettle.engine.project import Project
from vettle.server import rule_files


@contextmanager
def temporary_repository(keep: bool) -> Iterator[Path]:
    """Make a temporary git repository that holds our rule files."""
    folder = Path(tempfile.mkdtemp(prefix="vettle-demo-")).resolve()
    root = folder / "demo"
    try:
        root.mkdir()
        source = _rule_files()
        for name in ("AGENTS.md", "CLAUDE.md"):
            shutil.copy(source / name, root / name)
        shutil.copytree(source / ".claude" / "rules", root / ".claude" / "rules")
        git = shutil.which("git")
        if git:
            subprocess.run([git, "init", "--quiet", str(root)], check=True, stdout=sys.stderr)  # noqa: S603 - our folder
        else:
            (root / ".git").mkdir()
        yield root
    finally:
        if keep:
            click.echo(f"\nThe project is kept in {root}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _rule_files() -> Path:
    """Return the folder with our rule files: in the wheel, or at the root of a checkout."""
    here = Path(__file__).resolve().parents[2]
    packaged = here / "demonstration_files"
    return packaged if packaged.is_dir() else here.parents[2]


def imported(project: Project) -> list[str]:
    """Import the rules as `vettle import` does, and return their ids in the order of the files."""
    record = rule_files.rules_imported(project, paths=(), apply=True)
    files = {file.path: file.rules for file in record.files if file.rules}
    click.echo(f"1. {record.added} candidate rules from {len(files)} rule files: {', '.join(files)}")
    click.echo(
        "   Their lines are taken out of those files: what every session reads anyway cannot be tested."
    )
    for path in files:
        file = project.root / path
        text = file.read_text(encoding="utf-8")
        kept = [line for line in text.splitlines(keepends=True) if not line.startswith("- ")]
        file.write_text("".join(kept).rstrip() + "\n", encoding="utf-8")
    return list(dict.fromkeys(rule for found in files.values() for rule in found))
