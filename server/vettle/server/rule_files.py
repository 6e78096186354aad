"""What people and pipelines do with rule files: render them, adopt hand edits, import what is there.

The renderers are imported where they are used, because a server starts often and renders rarely.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vettle.engine import standings
from vettle.engine.errors import FilesRefused, InvalidArgument
from vettle.engine.paging import fit
from vettle.engine.project import Project
from vettle.engine.quarantine import redact, shown
from vettle.engine.records import (
    AdoptedRule,
    Adoption,
    Delivery,
    ImportedFile,
    NotTaken,
    Record,
    Rendering,
    RulesImported,
)
from vettle.engine.reports import Blocked
from vettle.engine.wording import counted, some
from vettle.server.hooks import joining

_FEW = 10
_FEW_FILES = 3
_EXCERPT = 80

if TYPE_CHECKING:
    from vettle.engine.imports import Outcome, Taken
    from vettle.renderers.imports.files import RuleFile
    from vettle.renderers.imports.instructions import Instruction, Passage


def rendered(
    project: Project,
    *,
    targets: tuple[str, ...],
    write: bool,
    check: bool = False,
    remove: bool = False,
    force: bool = False,
    adopted: Mapping[str, str] | None = None,
) -> Rendering:
    """Render, with every diff whole; a check shows only the diffs of refused files."""
    from vettle.renderers.render import render

    found = standings.to_render(project)
    rendering = render(
        project.root,
        found.rules,
        targets=targets,
        settings=project.settings.render,
        known=found.known,
        write=write,
        check=check,
        remove=remove,
        force=force,
        adopted=adopted,
    )
    files = [
        file.model_copy(update={"diff": ""}) if check and file.action != "refused" else file
        for file in rendering.files
    ]
    left_out = [*([] if remove else found.withheld), *rendering.left_out]
    return rendering.model_copy(update={"files": files, "left_out": left_out})


def shortened(rendering: Rendering, characters: int) -> Rendering:
    """Return the rendering as an agent can read it: what is left out is said, and the command line shows it all."""
    room, files = characters * 2 // 5, []
    for file in rendering.files:
        room -= len(file.diff)
        too_long = f"(diff of {len(file.diff)} characters left out)"
        files.append(file if room >= 0 or not file.diff else file.model_copy(update={"diff": too_long}))
    short: dict[str, Sequence[Record]] = {
        "files": fit(files, characters * 3 // 5),
        "left_out": fit(rendering.left_out, characters * 3 // 20),
        "deliveries": fit([_short_delivery(one) for one in rendering.deliveries], characters * 3 // 20),
        "hidden": fit(rendering.hidden, characters // 20),
    }
    notes = list(rendering.notes)
    if any(len(rows) < len(getattr(rendering, name)) for name, rows in short.items()) or room < 0:
        notes.append("This answer is shortened: vettle render --json shows it all.")
    return rendering.model_copy(update={**short, "notes": notes})


def _short_delivery(delivery: Delivery) -> Delivery:
    """Keep the first few ids: who gets too many or too few rules is known from those."""
    more = dict(list(delivery.more.items())[:_FEW])
    return delivery.model_copy(update={"more": more, "never": delivery.never[:_FEW]})


def adopt(project: Project, *, targets: tuple[str, ...], write: bool) -> tuple[Adoption, Rendering | None]:
    """Turn hand edits of rendered files into pinned and retired rules, and render them.

    Without `write` nothing is changed, and the rendering is None. This is for people only, so it is no tool.
    """
    from vettle.engine.imports import Found, adopt
    from vettle.renderers.edits import find_edits

    edits = find_edits(project.root, targets, known=standings.to_render(project).known)
    added = [Found(one.text, edit.globs, f"{edit.path}:{one.line}") for edit in edits for one in edit.added]
    removed = [(rule, f"deleted by hand from {edit.path}") for edit in edits for rule in edit.removed]
    ids = adopt(project, added, removed) if write and edits else [""] * len(added)
    adoption = Adoption(
        pinned=[
            AdoptedRule(rule_id=rule_id, text=one.text, globs=one.globs, path=one.origin)
            for rule_id, one in zip(ids, added, strict=True)
        ],
        retired=list(dict.fromkeys(rule for rule, _ in removed)),
        applied=write,
    )
    read = {edit.path: edit.digest for edit in edits}
    return adoption, rendered(project, targets=targets, write=True, adopted=read) if write else None


def rules_imported(project: Project, *, paths: tuple[str, ...], apply: bool) -> RulesImported:
    """Import the rules that files already hold; no paths means the rule files of the repository."""
    from vettle.engine.imports import Found, import_rules
    from vettle.renderers.imports.files import read

    files = [read(path, name) for path, name in _rule_files(project.root, paths)]
    found = [Found(one.text, file.globs, f"{file.path}:{one.line}") for file in files for one in file.taken]
    taken = import_rules(project, found, apply=apply)
    if apply:
        joining.offer_first_rules(project)
    outcomes = Counter(one.outcome for one in taken)
    return RulesImported(
        files=list(_imported_files(files, taken)),
        added=outcomes["trial"],
        quarantined=outcomes["quarantined"],
        merged=outcomes["merged"],
        known=outcomes["known"],
        applied=apply,
        next_step=_after_import(project, outcomes, apply=apply),
    )


def blocked(project: Project) -> Blocked | None:
    """Tell what stands against rendering, most urgent first, and what ends it; None where nothing does."""
    from vettle.engine.store import rules
    from vettle.renderers.standing import standing

    with project.read() as transaction:
        known = rules.texts(transaction)
        waiting = len(rules.with_status(transaction, standings.RENDERED))
    try:
        found = standing(project.root, known)
    except FilesRefused as error:
        return Blocked(str(error), "Restore it from version control: git checkout -- .vettle/lock.json")
    except OSError as error:
        # Status answers, whatever may not be read.
        what = f"{error.filename or project.root}: cannot be read ({error.strerror})."
        return Blocked(what, "See what else is wrong, with the fix: vettle doctor")
    if found.foreign:
        return Blocked(
            f"{some(found.foreign, _FEW_FILES)} {'holds' if len(found.foreign) == 1 else 'hold'} rules that vettle wrote "
            "from another database, and this one does not know them.",
            "Take them over as pinned rules: vettle render --adopt --write",
        )
    if edited := [file.path for file in found.refused if file.refusal == "edited"]:
        return Blocked(
            f"Somebody edited by hand what vettle wrote into {some(edited, _FEW_FILES)}, so no file is rendered.",
            "Take the edit over (without --write: see what would become of it): vettle render --adopt --write",
        )
    if found.refused:
        return Blocked(found.refused[0].reason, "See what else is wrong, with the fix: vettle doctor")
    if waiting and not found.has_place:
        return Blocked(
            f"{counted(waiting, 'rule')} should be in a file and {'is' if waiting == 1 else 'are'} in none: nothing shows "
            "which assistant is used here.",
            "Write AGENTS.md, which most assistants read: vettle render agents --write",
        )
    return None


def untestable(project: Project) -> dict[str, list[str]]:
    """Return, by file, the rules on trial that also stand in a file of the repository.

    Every session reads what stands there, so withholding such a rule withholds nothing.
    """
    from vettle.engine.similarity import rule_hash
    from vettle.engine.store import rules
    from vettle.renderers.imports.files import read

    found: dict[str, list[str]] = {}
    with project.read() as transaction:
        for path, name in _rule_files(project.root, ()):
            file = read(path, name)
            for one in file.taken:
                same = rules.with_hash(transaction, rule_hash(one.text, "", file.globs))
                if same is not None and same.status == "trial":
                    found.setdefault(name, []).append(same.id)
    return found


def not_testable(found: Mapping[str, Sequence[str]]) -> str:
    """Say what `untestable` found, and what to do about it."""
    every = list(dict.fromkeys(rule for rules in found.values() for rule in rules))
    stands, them = ("stands", "it") if len(every) == 1 else ("stand", "them")
    return (
        f"{counted(len(every), 'rule')} on trial {stands} in {some(list(found), _FEW_FILES)} too, where every session "
        f"reads {them}, so nothing can be learned about {them}. Take the lines out, and what is proven comes back; the "
        f"trial of a line that has to stay ends with: vettle rule decide {every[0]} retire 'it stays'"
    )


def is_data(path: str) -> bool:
    """Tell whether a path is a log or another system's data, and no folder with rule files in it."""
    from vettle.engine.exchange import sources
    from vettle.renderers.imports.files import find

    given = Path(path)
    holds_rules = given.is_dir() and (find(given) or any(given.glob("*.mdc")))
    return not holds_rules and sources.is_known(given)


def _rule_files(root: Path, paths: Sequence[str]) -> list[tuple[Path, str]]:
    """Return each file to read with the name to call it by: folders stand for the rule files in them."""
    from vettle.renderers.imports.files import find

    if not paths:
        return [(root / name, name) for name in find(root)]
    found: dict[Path, str] = {}
    for given in map(Path, paths):
        if not given.exists():
            raise InvalidArgument("paths", f"{str(given)!r} does not exist", "Name files or folders")
        inside = (
            [given / name for name in find(given)] or sorted(given.glob("*.mdc"))
            if given.is_dir()
            else [given]
        )
        if not inside:
            raise InvalidArgument("paths", f"{str(given)!r} holds no rule files", "Name the files themselves")
        for path in inside:
            absolute = path.resolve()
            name = absolute.relative_to(root) if absolute.is_relative_to(root) else path
            found.setdefault(absolute, name.as_posix())
    return list(found.items())


def _imported_files(files: Sequence[RuleFile], taken: Sequence[Taken]) -> Iterator[ImportedFile]:
    """Yield the report of each file; `taken` has one answer per instruction of all files, in order."""
    answers = iter(taken)
    for file in files:
        pairs = [(one, next(answers)) for one in file.taken]
        not_taken = [_not_taken(one, one.reason) for one in file.passed]
        not_taken += [_not_taken(one, answer.reason) for one, answer in pairs if answer.outcome == "refused"]
        rules = [answer.rule_id for _, answer in pairs if answer.rule_id]
        yield ImportedFile(
            path=file.path,
            globs=file.globs,
            taken=sum(answer.outcome != "refused" for _, answer in pairs),
            rules=list(dict.fromkeys(rules)),
            not_taken=sorted(not_taken, key=lambda one: one.line),
            reason=file.reason,
        )


def _not_taken(passage: Instruction | Passage, reason: str) -> NotTaken:
    """Report a passage without secrets, and only by name if it would instruct the agent that reads the report."""
    return NotTaken(line=passage.line, text=shown(redact(passage.text), _EXCERPT), reason=reason)


def _after_import(project: Project, outcomes: Counter[Outcome], *, apply: bool) -> str:
    new = outcomes["trial"] + outcomes["quarantined"]
    if new and not apply:
        return "Nothing was recorded. To import: the same without --dry-run."
    said = _after_new_rules(outcomes["quarantined"]) if new else "Nothing new was found."
    if in_the_way := blocked(project):
        return f"{said} {in_the_way.what} {in_the_way.step}"
    return said if new else f"{said} Rules are added with rule_add, or vettle rule add."


def _after_new_rules(waiting: int) -> str:
    step = (
        "Sessions will try them. A rule that also stands in its file is read in every session, so nothing can be "
        "learned about it: take the lines out that you want tested, and vettle writes back what is proven."
    )
    need = "needs" if waiting == 1 else "need"
    return f"{step} {waiting} {need} a person: vettle rules --status quarantined." if waiting else step
