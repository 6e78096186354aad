"""What is examined: a place, the project found there, and its database, opened so that nothing changes."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from vettle.engine.clock import Clock, system_clock
from vettle.engine.errors import ConfigurationInvalid, ProjectNotFound, VettleError
from vettle.engine.project import CONFIGURATION, DATABASE, Project
from vettle.engine.root import STATE_FOLDER, find_root
from vettle.engine.settings import Settings, load
from vettle.engine.store import Store, is_url
from vettle.engine.store.looking import look_at_file, look_at_server


@dataclass
class Case:
    """Everything that checks look at; `explicit` is what was given as --project.

    `seconds` is how long one server may take for a whole handshake.
    """

    explicit: str = ""
    start: Path = field(default_factory=Path.cwd)
    home: Path = field(default_factory=Path.home)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    platform: str = sys.platform
    clock: Clock = system_clock
    seconds: float = 10.0

    @cached_property
    def found(self) -> Path | ProjectNotFound:
        """The root of the project, or why there is none."""
        try:
            return find_root(self.explicit, self.environment, self.start)
        except ProjectNotFound as error:
            return error

    @property
    def root(self) -> Path | None:
        """The root of the project, if there is one."""
        return self.found if isinstance(self.found, Path) else None

    @property
    def folder(self) -> Path | None:
        """The folder that holds what vettle keeps; it need not exist."""
        return self.root / STATE_FOLDER if self.root else None

    @cached_property
    def settings(self) -> Settings | None:
        """The settings, None where they cannot be used."""
        try:
            return load(self.folder / CONFIGURATION) if self.folder else None
        except ConfigurationInvalid:
            return None

    @property
    def url(self) -> str:
        """Where a shared database is, "" for a file of the project."""
        configured = self.settings.database.url if self.settings else ""
        return self.environment.get("VETTLE_DATABASE_URL", "") or configured

    @property
    def name(self) -> str:
        """What the project is called in a shared database."""
        configured = self.settings.database.project if self.settings else ""
        return self.environment.get("VETTLE_DATABASE_PROJECT", "") or configured

    @cached_property
    def opened(self) -> Store | VettleError | None:
        """The database, or why it cannot be read, or None where nothing was ever recorded."""
        if self.folder is None or (self.url and not (is_url(self.url) and self.name)):
            return None
        try:
            if self.url:
                return look_at_server(self.url, project=self.name, clock=self.clock)
            file = self.folder / DATABASE
            if not file.exists() and not file.with_name(f"{DATABASE}-wal").exists():
                return None
            return look_at_file(file, clock=self.clock)
        except VettleError as error:
            return error

    @property
    def store(self) -> Store | None:
        """The database, if there is one that can be read."""
        return self.opened if isinstance(self.opened, Store) else None

    @cached_property
    def project(self) -> Project | None:
        """The project over that database, if its settings can be used and nothing is wrong with the database."""
        if self.root is None or self.settings is None or isinstance(self.opened, VettleError):
            return None
        try:
            return Project(self.root, clock=self.clock, store=self.store, environment=self.environment)
        except ConfigurationInvalid:
            return None

    def close(self) -> None:
        """Let go of the database."""
        if "opened" in self.__dict__ and isinstance(self.opened, Store):
            self.opened.close()
