"""Which vettle this is, what it can import, and what the environment tells it."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from vettle.engine.suggesting import VARIABLES, hint
from vettle.server.clients.entries import installed
from vettle.server.doctor.case import Case
from vettle.server.doctor.findings import Said, ok, problem, warning

_ALSO_OURS = ("VETTLE_CONFIG", "VETTLE_EXPLORE")
"""Variables that vettle writes for others, and those of its tests."""


def installation(case: Case) -> Iterator[Said]:
    """Say which version of what this is, and where."""
    where = Path(installed()[0])
    yield ok(f"vettle {version('vettle')} on Python {platform.python_version()}, {where}")


def path(case: Case) -> Iterator[Said]:
    """Find another vettle that a terminal would start in place of this one."""
    found = shutil.which("vettle", path=case.environment.get("PATH", ""))
    ours = Path(installed()[0])
    if found is None:
        yield ok(f"vettle is not on the PATH; call it as {ours}")
    elif os.path.realpath(found) == os.path.realpath(ours):
        yield ok("vettle on the PATH is this one")
    else:
        yield warning(
            "another-on-path",
            f"vettle on the PATH is another installation: {found}",
            f'export PATH={shlex.quote(str(ours.parent))}:"$PATH"',
        )


def extras(case: Case) -> Iterator[Said]:
    """Find what is configured and cannot be imported."""
    model = case.environment.get("VETTLE_OPENAI_MODEL", "") or (
        case.settings.proposals.model if case.settings else ""
    )
    wanted = (
        (case.url, "psycopg", "postgres", "a PostgreSQL database"),
        (model, "openai", "openai", "a model for proposals"),
        (case.environment.get("VETTLE_CLICKHOUSE_URL", ""), "clickhouse_connect", "clickhouse", "ClickHouse"),
    )
    for configured, module, extra, what in wanted:
        if configured and find_spec(module) is None:
            say = problem if extra == "postgres" else warning
            yield say(
                "extra-missing", f"{what} is configured, and {module} is not installed", _install(extra)
            )


def _install(extra: str) -> str:
    interpreter = shlex.quote(str(Path(installed()[0]).parent / "python"))
    return f"{interpreter} -m pip install 'vettle[{extra}]'"


def variables(case: Case) -> Iterator[Said]:
    """Find variables that look like ours and are none: whoever set them meant something."""
    for name in sorted(case.environment):
        if name.upper().startswith("VETTLE_") and name not in (*VARIABLES, *_ALSO_OURS):
            meant = hint(name, VARIABLES)
            yield warning(
                "variable-unknown",
                f"{name[:80]} is set, and vettle knows no such variable. {meant}".rstrip(),
                f"unset {shlex.quote(name[:80])}",
            )
    known = [name for name in VARIABLES if case.environment.get(name)]
    if known:
        yield ok(f"set: {', '.join(known)}")
