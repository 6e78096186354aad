"""Running git in a repository that somebody else configured: nothing of theirs runs, and nothing is written.

Only plumbing commands that read are run: no hook, filter, external diff, text conversion, file system monitor or network
is used, whatever the repository's configuration says. Contents of the working tree are read by ourselves.
"""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from vettle.engine.errors import GitUnavailable
from vettle.engine.quarantine import redact, visible

_OPTIONS = (
    "--no-pager",
    "--no-optional-locks",
    "--no-replace-objects",
    "--literal-pathspecs",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.quotePath=false",
    "-c",
    f"core.hooksPath={os.devnull}",
)
_ENVIRONMENT = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    # A partial clone would fetch what it lacks, with whatever program its configuration names. No such protocol exists.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "LC_ALL": "C",
}
_SECONDS = 30.0


def run(
    root: Path,
    *arguments: str,
    given: bytes = b"",
    deadline: float = math.inf,
    switched_off: Sequence[str] = (),
) -> bytes:
    """Run git in a folder with `given` as its input, and return its output (GitUnavailable, also where it fails)."""
    done = asked(root, *arguments, given=given, deadline=deadline, switched_off=switched_off)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        if "dubious ownership" in said:
            said += ". If you trust it: git config --global --add safe.directory PATH"
        raise GitUnavailable(
            f"git {arguments[0]}: {visible(redact(said))[:300] or 'failed'}. Nothing was recorded."
        )
    return done.stdout


def asked(
    root: Path,
    *arguments: str,
    given: bytes = b"",
    deadline: float = math.inf,
    switched_off: Sequence[str] = (),
) -> subprocess.CompletedProcess[bytes]:
    """Run git in a folder where its exit code is the answer; no argument may be a text that is not checked.

    `switched_off` are settings that count as empty, whatever the repository says.

    Raises:
        GitUnavailable: It is not installed, takes more than 30 seconds, or is not done at the deadline (of the
            monotonic clock, in seconds).
    """
    emptied = [word for name in switched_off for word in ("-c", f"{name}=")]
    seconds = max(0.0, min(_SECONDS, deadline - time.monotonic()))
    try:
        return subprocess.run(  # noqa: S603 - fixed arguments, no shell, revisions are checked
            [_program(root), *_OPTIONS, *emptied, *arguments],
            cwd=root,
            env=_environment(os.environ),
            input=given,
            capture_output=True,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as error:
        raise GitUnavailable(
            f"git {arguments[0]} took more than {seconds:.0f} s and was stopped. Nothing was recorded."
        ) from error
    except OSError as error:
        raise GitUnavailable(f"git could not be run ({error.strerror}). Nothing was recorded.") from error


def _program(root: Path) -> str:
    found = shutil.which("git")
    if found is None:
        raise GitUnavailable("git is not installed. Nothing was recorded. Install it, or put it on PATH.")
    if Path(found).absolute().is_relative_to(root.absolute()):
        # On Windows the working directory is searched first, and a repository may hold a git.exe.
        raise GitUnavailable(f"{found} is a file of the project, so it is not run. Nothing was recorded.")
    return found


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environment.items() if not name.startswith("GIT_")}
    # As for the project's root, a repository of the whole home directory does not count.
    home = kept.get("HOME", "")
    return kept | _ENVIRONMENT | ({"GIT_CEILING_DIRECTORIES": home} if home else {})
