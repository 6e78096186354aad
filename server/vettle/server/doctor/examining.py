"""Run every check, whatever becomes of the others, and put together what they found."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from vettle.engine.quarantine import redact
from vettle.engine.records.diagnosis import Diagnosis, DoctorFinding, FindingGroup
from vettle.server.doctor import (
    clients,
    database,
    environment,
    handshake,
    hooks,
    project,
    rule_files,
)
from vettle.server.doctor.case import Case
from vettle.server.doctor.findings import Said, problem

Check = Callable[[Case], Iterator[Said]]

CHECKS: tuple[tuple[FindingGroup, Check], ...] = (
    ("environment", environment.installation),
    ("environment", environment.path),
    ("environment", environment.extras),
    ("environment", environment.variables),
    ("project", project.root),
    ("project", project.writable),
    ("project", project.version_control),
    ("project", project.configuration),
    ("project", project.shared_database),
    ("database", database.opens),
    ("database", database.sound),
    ("database", database.size),
    ("database", database.place),
    ("database", database.clock),
    ("database", database.left_open),
    ("database", database.waiting),
    ("rule files", rule_files.rule_files),
    ("clients", clients.clients),
    ("handshake", handshake.handshake),
    ("hooks", hooks.spool),
    ("hooks", hooks.measured),
)
"""Every check with the group that its findings are shown in, in the order in which they are shown."""

_LONGEST = 600


def examine(
    case: Case, *, live: bool = True, checks: tuple[tuple[FindingGroup, Check], ...] = CHECKS
) -> Diagnosis:
    """Run the checks and return all that they found; without `live`, no server is started."""
    try:
        found = [
            finding
            for group, check in checks
            if live or group != "handshake"
            for finding in _run(group, check, case)
        ]
    finally:
        case.close()
    # What is wrong with a database is said by every check that reads it.
    findings = list(dict.fromkeys(found))
    problems, warnings = (sum(one.level == level for one in findings) for level in ("problem", "warning"))
    return Diagnosis(
        project=str(case.root or ""),
        version=version("vettle"),
        findings=findings,
        problems=problems,
        warnings=warnings,
        next_step=_next(findings),
    )


def _run(group: FindingGroup, check: Check, case: Case) -> list[DoctorFinding]:
    """Run one check; what it found before it crashed counts too."""
    found: list[DoctorFinding] = []
    try:
        found.extend(_finding(group, said) for said in check(case))
    except Exception as error:  # noqa: BLE001 - a broken thing must not hide what else is wrong
        found.append(_finding(group, _crashed(check, error)))
    return found


def _finding(group: FindingGroup, said: Said) -> DoctorFinding:
    return DoctorFinding(
        group=group, name=said.name, level=said.level, what=_line(said.what)[:_LONGEST], fix=_line(said.fix)
    )


def _line(text: str) -> str:
    """Return the text in one line, without secrets, and without what a terminal would obey: much of it is others'."""
    shown = "".join(one if one.isprintable() or one.isspace() else "?" for one in redact(text))
    return " ".join(shown.split())


def _crashed(check: Check, error: Exception) -> Said:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return problem(
        "check-crashed",
        f"the check of {check.__module__.rpartition('.')[2]}.{check.__name__} failed: {type(error).__name__}: {error} "
        f"({Path(last.filename).name}:{last.lineno})",
        "vettle --version && vettle doctor --json",
    )


def _next(findings: list[DoctorFinding]) -> str:
    for level in ("problem", "warning"):
        for one in findings:
            if one.level == level:
                return f"Begin with: {one.fix}"
    return "Nothing to do. What is going on: vettle status"
