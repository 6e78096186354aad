"""Programs that come from npm, installed for real: each version in a folder of its own, made once.

As in `peers`, two tests may ask for the same one at the same moment: each installs under another name, and the first
to finish gives the folder its real one.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import subprocess
from pathlib import Path

import pytest

_FOLDER = Path(__file__).resolve().parent.parent / ".pytest_cache" / "npm"


def programs(*packages: str) -> Path:
    """Return the folder that holds the programs of these packages, such as "@openai/codex@0.169.0".

    Pin a version: another one behaves in another way. Where there is no npm the test is skipped, but not in CI.
    """
    npm = shutil.which("npm")
    if npm is None:
        if os.environ.get("CI"):
            pytest.fail("npm is missing, and CI has to test with the real clients.")
        pytest.skip("npm is missing.")
    home = _FOLDER / hashlib.sha256(json.dumps(packages).encode()).hexdigest()[:16]
    if not home.exists():
        _install(npm, home, packages)
    return home / "node_modules" / ".bin"


def _install(npm: str, home: Path, packages: tuple[str, ...]) -> None:
    unfinished = home.with_name(f"{home.name}.{secrets.token_hex(4)}")
    unfinished.mkdir(parents=True)
    (unfinished / "package.json").write_text('{"private": true}', encoding="utf-8")
    options = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    try:
        subprocess.run([npm, "install", *options, *packages], cwd=unfinished, check=True, timeout=240)
        unfinished.rename(home)
    except OSError:
        # Another one was faster, and what it made is as good.
        if not home.exists():
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
