"""The commands about rule files: render them, and import what they hold."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click

from vettle.engine.records import Adoption, Delivery, ImportedFile, Rendering, RulesImported
from vettle.engine.records.exchange import DataImported
from vettle.renderers.render import raise_if_refused
from vettle.server import rule_files, tools
from vettle.server.commands.checking import checked
from vettle.server.commands.common import counted, emit, json_option, open_project
from vettle.server.commands.completing import completes_targets
from vettle.server.commands.layout import wrapped
from vettle.server.commands.wording import worded
from vettle.server.commands.working import working
from vettle.server.toolsets import find


@click.command()
@click.argument("targets", nargs=-1, shell_complete=completes_targets)
@click.option("--write", is_flag=True, help="Write the files (default: only show what would change).")
@click.option("--check", is_flag=True, help="Exit with 1 if a file is not up to date; write nothing.")
@click.option("--remove", is_flag=True, help="Take our text out again, leaving everything else as it was.")
@click.option("--force", is_flag=True, help="Overwrite hand edits inside our text.")
@click.option("--adopt", is_flag=True, help="Turn hand edits inside our text into pinned and retired rules.")
@json_option
def render(targets: tuple[str, ...], adopt: bool, as_json: bool, **given: Any) -> None:
    """Example: vettle render --write.

    Bring the rule files of claude, cursor, copilot, windsurf, continue, agents (AGENTS.md), gemini or skill up to
    date with the proven and pinned rules. Without a target: of the assistants that the repository uses, so that each
    reads every rule once. Text that is not ours is never touched.
    Exit codes: 1 not up to date (--check), or rules that reach no file (--write), 3 a file was refused, 4 a file was
    edited by hand.
    """
    arguments = checked(find(tools.rules_render), {**given, **({"targets": targets} if targets else {})})
    if adopt:
        _adopt(arguments, as_json)
        return
    with open_project() as project, working("rendering"):
        record = rule_files.rendered(project, **arguments)
    options = [f"--{name}" for name in ("remove", "force") if given[name]]
    command = " ".join(["vettle render", *targets, *options, "--write"])
    emit(record, as_json, lambda: _rendering(record, command))
    raise_if_refused(record)
    if (given["check"] or given["write"]) and not record.in_sync:
        click.get_current_context().exit(1)


def _adopt(arguments: dict[str, Any], as_json: bool) -> None:
    """Adopt hand edits; with --write, render too, which brings the files into their final order."""
    if arguments["check"] or arguments["remove"] or arguments["force"]:
        raise click.UsageError("--adopt goes with --write, and with no other option.")
    with open_project() as project:
        record, rendering = rule_files.adopt(project, targets=arguments["targets"], write=arguments["write"])
    emit(record, as_json, lambda: wrapped(_adoption(worded(record))))
    if rendering is not None:
        raise_if_refused(rendering)


def _adoption(record: Adoption) -> Iterator[str]:
    for rule in record.pinned:
        yield f"pin     {rule.text}  ({rule.path}{', ' + ' '.join(rule.globs) if rule.globs else ''})"
    for rule_id in record.retired:
        yield f"retire  {rule_id}"
    if not record.pinned and not record.retired:
        yield "No file was edited by hand."
    elif not record.applied:
        yield "Nothing was changed. To adopt: vettle render --adopt --write"


_DONE = {"create": "created", "update": "updated", "remove": "removed"}


def _rendering(record: Rendering, command: str) -> Iterator[str]:
    for file in record.files:
        if file.diff:
            yield file.diff.rstrip("\n")
    yield from wrapped(_told(record, command))


def _told(record: Rendering, command: str) -> Iterator[str]:
    """Yield what becomes, or became, of each file, who reads it, and the command that would write it."""
    for file in record.files:
        cost = f", about {file.tokens} tokens" if file.tokens else ""
        done = _DONE.get(file.action) if record.written else None
        what = f"{file.path} ({file.target}, {counted(len(file.rules), 'rule')}{cost})"
        yield f"{done:9}  {what}" if done else f"{file.action:9}  {what}: {file.reason}"
    by_copies: dict[str, list[str]] = {}
    for delivery in record.deliveries:
        by_copies.setdefault(_delivered(delivery), []).append(delivery.reader)
    for copies, readers in by_copies.items():
        yield f"reads      {copies}: {', '.join(readers)}"
    for rule in record.left_out:
        where = f" ({', '.join(rule.targets)})" if rule.targets else ""
        yield f"left out   {rule.rule_id}{where}: {rule.reason}"
    for hidden in record.hidden:
        yield f"hides      {hidden.path} from {hidden.reader}. {hidden.remedy}"
    for note in record.notes:
        yield f"note       {note}"
    changing = sum(file.action in _DONE for file in record.files)
    if record.written and changing:
        yield f"{counted(changing, 'file')} changed."
    elif changing and not any(file.action == "refused" for file in record.files):
        yield f"Nothing was written. To write: {command}"


def _delivered(delivery: Delivery) -> str:
    """Say how often a program gets the rules, in as few words as the numbers allow."""
    said = [f"{counted(delivery.once, 'rule')} once"] if delivery.once else []
    for copies in sorted(set(delivery.more.values())):
        rules = [rule for rule, count in delivery.more.items() if count == copies]
        said.append(f"{counted(len(rules), 'rule')} {copies} times")
    if delivery.never:
        said.append(f"{counted(len(delivery.never), 'rule')} never")
    return ", ".join(said)


@click.command("import")
@click.argument("paths", nargs=-1, type=click.Path(exists=True))
@click.option(
    "--from", "system", default="", metavar="SYSTEM", help="Whose data it is, if it is not recognised."
)
@click.option("--dry-run", is_flag=True, help="Only tell what would be imported.")
@click.option("--verbose", "-v", is_flag=True, help="Also list every line of a rule file that is not taken.")
@json_option
def import_(paths: tuple[str, ...], system: str, dry_run: bool, verbose: bool, as_json: bool) -> None:
    """Example: vettle import --dry-run.

    Import the rules that a repository already has as candidates: one per bullet or imperative sentence of CLAUDE.md,
    AGENTS.md, GEMINI.md, .claude/rules, .cursor/rules, .cursorrules, .github/instructions, .windsurf/rules and
    .continue/rules, or of the files and folders that you name.

    Or import what was recorded: a log (vettle export log), or data of buildlog, ordal, adaptive-iteration,
    ai-experiments, promptlooper or singularity-forge, each path as a whole or not at all. A folder that holds rule
    files too is read for those, unless --from says whose data is meant. The files stay as they are.
    """
    from vettle.engine.exchange import sources

    if system and not paths:
        raise click.UsageError("--from goes with the path of the data.")
    data = [path for path in paths if system or rule_files.is_data(path)]
    rules = tuple(path for path in paths if path not in data)
    with open_project() as project:
        if rules or not data:
            with working("importing rules"):
                record = rule_files.rules_imported(project, paths=rules, apply=not dry_run)
            emit(record, as_json, lambda: wrapped(imported(worded(record), verbose)))
        for path in data:
            with working(f"importing {path}"):
                brought = sources.bring(project, Path(path), system=system, apply=not dry_run)
            emit(brought, as_json, partial(wrapped, _brought(worded(brought))))


def _brought(record: DataImported) -> Iterator[str]:
    """Yield what was taken from each file and what was not."""
    for file in record.files:
        yield (
            f"{file.path}: {counted(file.rows, 'row')}, {file.taken} taken, {file.known} known already, "
            f"{file.skipped_rows} left out"
        )
        for row in file.skipped:
            yield f"  line {row.line}: {row.reason}" if row.line else f"  {row.reason}"
        if file.skipped_rows > len(file.skipped):
            yield f"  and {file.skipped_rows - len(file.skipped)} more"
    new = (
        ", ".join(counted(number, kind.removesuffix("s")) for kind, number in record.new.items()) or "nothing"
    )
    yield f"{record.system}: {new} {'imported' if record.applied else 'to import'}."
    yield from record.notes
    yield record.next_step


def imported(record: RulesImported, verbose: bool) -> Iterator[str]:
    """Yield what was taken from each file and what was not, and the next step."""
    yield from taken(record, verbose)
    yield record.next_step


def taken(record: RulesImported, verbose: bool) -> Iterator[str]:
    """Yield what was taken from each file and what was not."""
    for file in record.files:
        yield from _imported_file(file, verbose)
    yield (
        f"{counted(record.added, 'new rule')} on trial, {record.quarantined} quarantined, {record.merged} merged, "
        f"{record.known} known already."
    )


def _imported_file(file: ImportedFile, verbose: bool) -> Iterator[str]:
    about = f" about {', '.join(file.globs)}" if file.globs else ""
    if file.reason:
        yield f"{file.path}: nothing taken: {file.reason}"
        return
    yield f"{file.path}: {counted(file.taken, 'instruction')}{about}, {counted(len(file.not_taken), 'passage')} not taken"
    for passage in file.not_taken if verbose else ():
        yield f"  line {passage.line}: {passage.reason}: {passage.text}"
