"""Where a person works: a project, a home folder, an environment and a system, so that no function asks for them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal, TypeVar

Folder = TypeVar("Folder", bound=PurePath)
Base = Literal["project", "home", "settings", "roaming"]


@dataclass(frozen=True)
class Place:
    """A project's root, the home folder, the environment, and the system as `sys.platform` names it."""

    root: Path
    home: Path
    environment: Mapping[str, str]
    platform: str

    @staticmethod
    def here(root: Path) -> Place:
        """Return the place that this process runs in."""
        return Place(root, Path.home(), os.environ, sys.platform)


@dataclass(frozen=True)
class Location:
    """A file or folder: `path` with forward slashes, below a folder that the system decides.

    `project` is the root and `home` the home folder; `settings` is where applications keep their settings
    (%APPDATA%, ~/Library/Application Support, ~/.config); `roaming` is the same, but ~/.config on macOS too.
    `variable` names an environment variable that, if set, names the first folder of `path`, or of the file, instead.
    """

    base: Base
    path: str
    variable: str = ""

    def at(self, place: Place) -> Path:
        """Return where it is for this place."""
        return self.below(place.root, place.home, place.environment, place.platform)

    def below(self, root: Folder, home: Folder, environment: Mapping[str, str], platform: str) -> Folder:
        """Return where it is; pure paths of another system's kind are fine, because nothing is looked up."""
        moved = environment.get(self.variable, "") if self.variable else ""
        if moved:
            return type(home)(moved) / (self.path.partition("/")[2] or self.path)
        if self.base == "project":
            return root / self.path
        if self.base == "home":
            return home / self.path
        return _settings(self.base, home, environment, platform) / self.path


def _settings(base: Base, home: Folder, environment: Mapping[str, str], platform: str) -> Folder:
    """Return the folder in which applications keep a user's settings."""
    if platform == "win32":
        named = environment.get("APPDATA", "")
        return type(home)(named) if named else home / "AppData" / "Roaming"
    if platform == "darwin" and base == "settings":
        return home / "Library" / "Application Support"
    named = environment.get("XDG_CONFIG_HOME", "")
    return type(home)(named) if named and base == "settings" else home / ".config"
