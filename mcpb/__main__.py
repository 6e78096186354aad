"""Put everything that belongs into the bundle into one folder: `python -m mcpb FOLDER`.

`npx @anthropic-ai/mcpb pack FOLDER vettle.mcpb` makes the bundle of it. It holds vettle's own source; the client's uv
installs what that requires, for the machine it is on.
"""

from __future__ import annotations

import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def stage(folder: Path) -> None:
    """Fill a folder that does not exist yet (FileExistsError)."""
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "mcpb" / "manifest.json", folder)
    for name in _contents():
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)


def _contents() -> list[str]:
    """Name what building vettle from its source needs, as pyproject.toml says it."""
    configuration: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project, wheel = configuration["project"], configuration["tool"]["hatch"]["build"]["targets"]["wheel"]
    return [
        "pyproject.toml",
        project["readme"],
        *project["license-files"],
        *wheel["packages"],
        *wheel.get("force-include", {}),
    ]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m mcpb FOLDER")
    stage(Path(sys.argv[1]))
