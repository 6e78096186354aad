"""A repository with one commit, and a home directory that is nobody's."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.server.git import repositories
from tests.server.git.repositories import Repository


@pytest.fixture(name="home", autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return home


@pytest.fixture(name="repository")
def _repository(tmp_path: Path, home: Path) -> Repository:
    """A repository with a file of twenty lines."""
    repository = repositories.made(tmp_path / "repository")
    repository.write("a.py", *(f"a = {number}" for number in range(20)))
    repository.commit()
    return repository
