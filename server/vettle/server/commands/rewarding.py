"""`vettle reward`: feedback that somebody states, or that a report, an exit code or a commit says by itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from vettle.engine.outcomes import exit_code, junit, recording
from vettle.engine.outcomes.failed_tests import FailedTest
from vettle.engine.outcomes.verdicts import Verdict
from vettle.engine.project import Project
from vettle.engine.records.outcomes import OutcomeFound
from vettle.server import tools
from vettle.server.commands.checking import checked
from vettle.server.commands.common import counted, emit, open_project
from vettle.server.commands.operations import command
from vettle.server.commands.wording import worded
from vettle.server.commands.working import working
from vettle.server.git import survival
from vettle.server.toolsets import find

_FORMS = ("from_junit", "from_exit_code", "from_git")
_ONLY_WITH = {
    "mistakes": ("from_junit",),
    "dry_run": _FORMS,
    "commit": ("from_git",),
    "proposed": ("from_git",),
    "accepted": ("from_git",),
    "base": ("from_git",),
}
_STATED = ("outcome", "revision_distance", "source", "arguments")
_HELP = """Example: vettle reward accepted --source human

Log feedback on a session's work: what a person, CI or git says. It may come days later.

Or let the outcome be found. --from-junit: accepted if no test failed, rejected if none passed, else a revision whose
distance is the failed share. --from-exit-code: accepted for 0, else rejected; nothing for a run that was interrupted,
killed or never began. --from-git: a revision whose distance is the share of the changed lines that did not survive
until the commit, accepted up to 0.05, rejected from 0.95. Where it is too early to tell, that is said and nothing is
recorded. The same report or commit is rewarded once in a session.
"""

_plain = command(find(tools.reward_log), "reward", "vettle reward accepted --source human")


def _reward(**given: Any) -> None:
    given = {name: value for name, value in given.items() if value not in (None, (), "")}
    forms = [name for name in _FORMS if given.get(name, False) is not False]
    for name, needed in _ONLY_WITH.items():
        if given.get(name) and not set(needed).intersection(forms):
            raise click.UsageError(
                f"{_option(name)} goes with {' or '.join(_option(form) for form in needed)}."
            )
    if not forms and not given.get("outcome") and not given.get("arguments"):
        raise click.UsageError(
            "Say the outcome (accepted, revision or rejected), or have it found: --from-junit FILE, "
            "--from-exit-code N or --from-git."
        )
    if not forms:
        added = {*_FORMS, *_ONLY_WITH}
        stated = {name: value for name, value in given.items() if name not in added}
        assert _plain.callback is not None
        _plain.callback(**{"arguments": "", **stated})
        return
    if len(forms) > 1:
        raise click.UsageError(f"{_option(forms[0])} and {_option(forms[1])} do not go together.")
    said = next((name for name in _STATED if name in given), "")
    if said:
        name = "OUTCOME" if said == "outcome" else _option(said)
        raise click.UsageError(f"{name} does not go with {_option(forms[0])}, which finds it by itself.")
    _found(given)


def _found(given: dict[str, Any]) -> None:
    stated = ("session_id", "rules_active", "weight", "notes", "client_ref")
    arguments = checked(
        find(tools.reward_log),
        {"outcome": "accepted", **{name: given[name] for name in stated if name in given}},
    )
    with open_project() as project, working("judging"):
        session_id = recording.session_meant(project, arguments["session_id"])
        verdict, failed = _verdict(project, session_id, given)
        record = recording.record(
            project,
            verdict,
            session_id=session_id,
            rules_active=arguments["rules_active"],
            weight=arguments["weight"],
            notes=arguments["notes"],
            client_ref=arguments["client_ref"],
            failed=failed if given.get("mistakes") else (),
            apply=not given.get("dry_run"),
        )
    emit(record, given["as_json"], lambda: _told(worded(record)))


def _verdict(
    project: Project, session_id: str, given: dict[str, Any]
) -> tuple[Verdict, Sequence[FailedTest]]:
    if "from_junit" in given:
        run = junit.read(given["from_junit"])
        return run.verdict, run.failed
    if "from_exit_code" in given:
        return exit_code.verdict(given["from_exit_code"]), ()
    return _from_git(project, session_id, given), ()


def _from_git(project: Project, session_id: str, given: dict[str, Any]) -> Verdict:
    proposed, accepted = given.get("proposed", ""), given.get("accepted", "")
    if proposed or accepted or given.get("base"):
        if not (proposed and accepted):
            raise click.UsageError("--proposed REV and --accepted REV go together, and --base REV with both.")
        if given.get("commit"):
            raise click.UsageError("--commit does not go with --proposed and --accepted.")
        return survival.of_commits(project.root, proposed, accepted, given.get("base", ""))
    if not session_id:
        raise click.UsageError(
            "No session is open or waits for a reward. Name one with --session ID, or commits with --proposed REV "
            "--accepted REV."
        )
    return survival.of_session(project.root, project.state_folder, session_id, given.get("commit", ""))


def _told(record: OutcomeFound) -> Iterator[str]:
    about = f"session {record.session_id}" if record.session_id else "no session"
    distance = f" (distance {record.revision_distance:.2f})" if record.outcome == "revision" else ""
    yield f"{record.outcome or 'no verdict'}{distance}, {about}: {record.reason}."
    if record.reward is not None:
        score = record.reward.session_score
        so_far = "" if score is None else f", session score {score:.2f}"
        yield f"reward {record.reward.reward_id}: {record.reward.value:.2f}{so_far}"
    if record.mistakes:
        number = len(record.mistakes)
        once = ", once in the session" if record.session_id else ""
        yield f"{counted(number, 'failed test')} logged as {'a mistake' if number == 1 else 'mistakes'}{once}."
    if record.mistakes_known:
        yield f"{counted(record.mistakes_known, 'failed test')} noticed before, and not logged again."
    for change in record.reward.status_changes if record.reward else ():
        yield f"rule {change.rule_id}: {change.old} -> {change.new}"
    yield record.next_step


def _option(name: str) -> str:
    return f"--{name}".replace("_", "-")


def _parameters() -> list[click.Parameter]:
    """Return the options of the tool's command, and those that find the outcome."""
    reports = click.Path(exists=True, dir_okay=False, path_type=Path)
    return [
        *_plain.params,
        click.Option(
            ["--from-junit"],
            type=reports,
            multiple=True,
            metavar="FILE",
            help="Judge by JUnit XML. (repeatable)",
        ),
        click.Option(["--mistakes"], is_flag=True, help="With --from-junit: log failed tests as mistakes."),
        click.Option(
            ["--from-exit-code"], type=int, metavar="N", help="Judge by the exit code of a command."
        ),
        click.Option(["--from-git"], is_flag=True, help="Judge by how much of the change survived."),
        click.Option(["--commit"], metavar="REV", help="What was committed of it. [default: HEAD]"),
        click.Option(["--proposed"], metavar="REV", help="Without a snapshot: the agent's branch."),
        click.Option(["--accepted"], metavar="REV", help="Without a snapshot: what was merged."),
        click.Option(["--base"], metavar="REV", help="Where that branch began, if git cannot tell."),
        click.Option(["--dry-run"], is_flag=True, help="Only tell what would be recorded."),
    ]


reward = click.Command(
    "reward",
    params=_parameters(),
    callback=_reward,
    help=inspect.cleandoc(_HELP),
    short_help=_plain.short_help,
)
