"""The command that says what is going on."""

from __future__ import annotations

from collections.abc import Iterator

import click

from vettle.engine import overall, wording
from vettle.engine.quarantine import visible
from vettle.engine.records.diagnosis import StatusInDetail
from vettle.server import rule_files, surroundings
from vettle.server.commands.common import counted, counts, emit, json_option, open_project
from vettle.server.commands.layout import wrapped
from vettle.server.commands.wording import worded

_TASK = 70
_MOST_PROVEN = 3


@click.command()
@json_option
def status(as_json: bool) -> None:
    """Example: vettle status.

    What is going on in this project, the most important thing first; what needs a person, and the next step.
    """
    with open_project() as project:
        record = overall.status(project, around=surroundings.of(project))
        found = rule_files.untestable(project)
    if found:
        warnings = [*record.warnings, rule_files.not_testable(found)]
        record = record.model_copy(update={"warnings": warnings})
    emit(record, as_json, lambda: wrapped(_status(worded(record))))


def _status(record: StatusInDetail) -> Iterator[str]:
    yield record.headline
    yield f"project      {record.project}"
    yield f"store        {record.store} (schema {record.schema_version}, vettle {record.version})"
    yield f"rules        {counts(record.rules)}"
    yield f"sessions     {counts(record.sessions)}{_pace(record)}"
    yield f"experiments  {counts(record.experiments)}"
    yield f"logged       {counted(record.mistakes, 'mistake')}, {counted(record.rewards, 'reward')}"
    yield from _proven(record)
    if record.closest:
        yield f"closest      {record.closest.rule_id}: {record.closest.said}"
    elif record.rules.get("trial"):
        why = "lately no coin decided about a rule on trial that is believed to help"
        yield f"closest      cannot be said: {why if record.sessions.get('scored') else 'no session was scored yet'}"
    for session in record.open_sessions:
        task = visible(" ".join(session.task.split())[:_TASK])
        yield f"open         {session.session_id}  since {session.started:%Y-%m-%d %H:%M}  {session.context}: {task}"
    for rule_id in record.needs_person:
        yield f"person       approve or reject: vettle rule decide {rule_id} approve 'why'"
    more = record.rules.get("quarantined", 0) - len(record.needs_person)
    if more > 0:
        yield f"person       and {more} more: vettle rules --status quarantined"
    for warning in record.warnings:
        yield f"warning      {warning}"
    yield f"next         {_next_step(record)}"


def _next_step(record: StatusInDetail) -> str:
    """Say the next step as a person takes it: the record names tools, because agents read it."""
    if record.needs_person:
        return f"Read it first: vettle explain {record.needs_person[0]}"
    return record.next_step


def _pace(record: StatusInDetail) -> str:
    pace = record.sessions_per_day
    return "" if pace is None else f"; lately started {wording.pace(pace)}"


def _proven(record: StatusInDetail) -> Iterator[str]:
    total = record.rules.get("proven", 0)
    if not total:
        return
    week = f", {record.proven_this_week} of them this week" if record.proven_this_week else ""
    yield f"proven       {counted(total, 'rule')}{week}"
    for rule in record.proven[:_MOST_PROVEN]:
        yield f"             {rule.rule_id} since {rule.since:%Y-%m-%d}"
