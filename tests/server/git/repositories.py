"""Real git repositories for tests, in a temporary folder and with a temporary home directory."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from vettle.engine.outcomes.verdicts import Verdict
from vettle.server.git import snapshots, survival

SESSION = "s-0123456789ab"


@dataclass(frozen=True)
class Repository:
    """A repository, and the project in it, which may be a folder of it."""

    root: Path
    project: Path

    def git(self, *arguments: str) -> str:
        """Run git as its owner would."""
        named = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", *named, *arguments], cwd=self.root, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, path: str, *lines: object) -> None:
        """Write a file of the project, a line each."""
        file = self.project / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes("".join(f"{line}\n" for line in lines).encode())

    def commit(self) -> str:
        """Commit everything, and return the commit's id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "work")
        return self.git("rev-parse", "HEAD")

    @property
    def state(self) -> Path:
        """Where the project keeps its state."""
        return self.project / ".vettle"

    def begin(self) -> bool:
        """Take the snapshot of the session's beginning."""
        return snapshots.begin(self.project, self.state, SESSION)

    def finish(self) -> bool:
        """Take the snapshot of the session's end."""
        return snapshots.finish(self.project, self.state, SESSION)

    def judged(self, commit: str = "") -> Verdict:
        """Judge what the session changed."""
        return survival.of_session(self.project, self.state, SESSION, commit)


def made(folder: Path, inside: str = "") -> Repository:
    """Make a repository without a commit; `inside` is the project's folder in it."""
    folder.mkdir(exist_ok=True)
    project = folder / inside
    project.mkdir(parents=True, exist_ok=True)
    repository = Repository(folder, project)
    repository.git("init", "--quiet", "--initial-branch", "main")
    return repository
