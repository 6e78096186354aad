"""The systems whose data is imported, installed for real: each in an environment of its own, made once.

Two tests, or two runs of the tests, may ask for the same environment at the same moment: each makes its own under
another name, and the first to finish gives it its real one.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import venv
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent.parent / ".pytest_cache" / "peers"

# What a peer's own code imports where the tests drive it. buildlog also requires pymupdf, sqlite-vec and copier,
# 200 MB that no module of it imports, so what it requires is not followed.
BUILDLOG_0_8 = ("buildlog==0.8.0", "click", "numpy", "PyYAML")
BUILDLOG_0_23 = (
    *("buildlog==0.23.0", "click", "numpy", "PyYAML"),
    *("qortex-learning==0.1.0", "qortex-observe", "pyventus", "structlog", "aiosqlite", "typing_extensions"),
)


def python(*requirements: str, dependencies: bool = True) -> Path:
    """Return an interpreter that has these requirements, and without `dependencies` nothing else."""
    wanted = json.dumps([sys.version, dependencies, *requirements])
    home = _FOLDER / hashlib.sha256(wanted.encode()).hexdigest()[:16]
    if not home.exists():
        _make(home, requirements, dependencies)
    return _interpreter(home)


def run(interpreter: Path, script: str, *arguments: object, folder: Path, home: Path | None = None) -> str:
    """Run a script in a peer's environment and return what it printed; it sees no setting of ours.

    `folder` is its working directory and `home` the home folder that it believes in (`folder` if none is given).
    """
    environment = {"PATH": os.environ["PATH"], "HOME": str(home or folder), "PYTHONUTF8": "1"}
    done = subprocess.run(
        [interpreter, "-c", script, *map(str, arguments)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _make(home: Path, requirements: tuple[str, ...], dependencies: bool) -> None:
    unfinished = home.with_name(f"{home.name}.{secrets.token_hex(4)}")
    # Our own pip installs into it: an environment with a pip takes three times as long.
    venv.create(unfinished, symlinks=True, with_pip=False)
    options = ["--quiet", "--disable-pip-version-check", "--no-compile", "--no-warn-script-location"]
    options += [] if dependencies else ["--no-deps"]
    pip = [sys.executable, "-m", "pip", "--python", str(_interpreter(unfinished))]
    try:
        subprocess.run([*pip, "install", *options, *requirements], check=True, timeout=240)
        unfinished.rename(home)
    except OSError:
        # Another one was faster, and what it made is as good.
        if not home.exists():
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _interpreter(home: Path) -> Path:
    return home / "bin" / "python"
