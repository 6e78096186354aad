"""The command that looks for what is wrong."""

from __future__ import annotations

from collections.abc import Iterator

import click

from vettle.engine.records.diagnosis import Diagnosis, DoctorFinding
from vettle.server.commands.common import counted, emit, json_option
from vettle.server.commands.layout import wrapped

_MARKS = {"ok": "ok", "warning": "warning", "problem": "PROBLEM"}


@click.command()
@click.option("--no-handshake", is_flag=True, help="Start no server.")
@json_option
@click.pass_context
def doctor(context: click.Context, no_handshake: bool, as_json: bool) -> None:
    """Example: vettle doctor.

    What is wrong with this installation and this project, with the fix beside each finding. Looks at the
    environment, the project, its database, the rule files, every client's configuration, and hooks; starts each
    server that a client would start and speaks with it. Changes nothing. Exit code 1 if anything is a problem.
    """
    # Imported here because of what the checks import.
    from vettle.server.doctor.case import Case
    from vettle.server.doctor.examining import examine

    record = examine(Case(context.find_root().obj or ""), live=not no_handshake)
    emit(record, as_json, lambda: wrapped(_diagnosis(record)))
    context.exit(1 if record.problems else 0)


def _diagnosis(record: Diagnosis) -> Iterator[str]:
    yield _headline(record)
    group = ""
    for finding in record.findings:
        if finding.group != group:
            group = finding.group
            yield group
        yield from _finding(finding)
    yield record.next_step


def _headline(record: Diagnosis) -> str:
    if record.problems or record.warnings:
        return f"{counted(record.problems, 'problem')}, {counted(record.warnings, 'warning')}."
    return "All is well."


def _finding(finding: DoctorFinding) -> Iterator[str]:
    name = "" if finding.level == "ok" else f" [{finding.name}]"
    yield f"  {_MARKS[finding.level]:7}  {finding.what}{name}"
    if finding.fix:
        yield f"           fix: {finding.fix}"
