"""Where a test's project lives, in words that another process understands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vettle.engine.project import Project


@dataclass(frozen=True)
class Place:
    """The root of a project, and the environment that names its database; it can be sent to a process."""

    root: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def shared(self) -> bool:
        """Whether the facts are on a server, and not in a file below the root."""
        return bool(self.environment)

    def open(self, **how: Any) -> Project:
        """Open the project, as any process would."""
        return Project(self.root, environment=self.environment, **how)

    def configure(self, text: str) -> None:
        """Write `.vettle/config.toml`."""
        folder = self.root / ".vettle"
        folder.mkdir(exist_ok=True)
        folder.joinpath("config.toml").write_text(text, encoding="utf-8")


def untouched(project: Project) -> bool:
    """Tell whether nothing was ever recorded: there is no file, or on a server no event and no answer."""
    if not project.shared:
        return not project.database.exists()
    with project.read() as transaction:
        return not any(
            transaction.execute(f"SELECT 1 FROM {table} WHERE project=? LIMIT 1", (transaction.project,))
            for table in ("event", "reply")
        )


def stored(project: Project) -> bytes:
    """Return everything that is stored, as the bytes in which a secret would be found."""
    if project.database.exists():
        return b"".join(path.read_bytes() for path in project.database.parent.iterdir() if path.is_file())
    tables = (
        "event",
        "reply",
        "snapshot",
        "stat",
        "rule",
        "session",
        "mistake",
        "experiment",
        "assignment",
        "run",
    )
    with project.read() as transaction:
        rows = {
            table: transaction.execute(f"SELECT * FROM {table} WHERE project=?", (transaction.project,))
            for table in tables
        }
    return repr(rows).encode()


def mistake_ids(project: Project) -> list[str]:
    """Return what the project's mistakes are called, in their order: a shared database numbers those of all projects."""
    with project.read() as transaction:
        rows = transaction.execute(
            "SELECT id FROM mistake WHERE project=? ORDER BY id", (transaction.project,)
        )
    return [f"m{number}" for [number] in rows]
