"""The assistants' rule files: do they say what is proven, once, to everybody, and did somebody edit them?"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from vettle.engine.errors import FilesRefused
from vettle.engine.records import LeftOut, RenderedFile, Rendering
from vettle.engine.wording import counted, some
from vettle.server.doctor.case import Case
from vettle.server.doctor.findings import Said, ok, problem, warning
from vettle.server.rule_files import not_testable, rendered, untestable

_FEW = 3


def rule_files(case: Case) -> Iterator[Said]:
    """Find files that are stale, edited, refused, hidden, read twice, or too small for all rules."""
    if case.project is None:
        return
    try:
        rendering = rendered(case.project, targets=("auto",), write=False, check=True)
    except FilesRefused as error:
        yield problem("rule-list-damaged", str(error), "git checkout -- .vettle/lock.json")
        return
    yield from _refused(rendering)
    yield from _foreign(rendering)
    yield from _delivered(case.project.root, rendering)
    yield from _left_out(rendering.left_out)
    yield from _untestable(untestable(case.project))
    if rendering.files:
        if rendering.in_sync:
            number = len(rendering.files)
            are = "is as it should be" if number == 1 else "are as they should be"
            yield ok(f"{counted(number, 'rule file')} {are}")
    else:
        yield _nowhere(rendering)


def _nowhere(rendering: Rendering) -> Said:
    """Say whether it is right that there is no file."""
    if rendering.in_sync:
        return ok("none is due")
    return warning("rules-left-out", " ".join(rendering.notes), "vettle render agents --write")


def _foreign(rendering: Rendering) -> Iterator[Said]:
    """Warn of files that are as they were written, with rules that this database does not know."""
    from vettle.renderers.plan import ONLY_COMPARED

    if ONLY_COMPARED in rendering.notes:
        what = "the files hold rules that vettle wrote from another database, and this one does not know them"
        yield warning("rule-file-refused", what, "vettle render --adopt --write")


def _untestable(found: dict[str, list[str]]) -> Iterator[Said]:
    """Warn of rules on trial that every session reads anyway."""
    if found:
        yield warning("rules-not-testable", not_testable(found), _editing(*list(found)[:_FEW]))


def _refused(rendering: Rendering) -> Iterator[Said]:
    for file in rendering.files:
        if file.action == "refused":
            yield _refusal(file)
    stale = [file.path for file in rendering.files if file.action in ("create", "update", "remove")]
    if stale:
        yield warning("rule-files-stale", f"not up to date: {some(stale, _FEW)}", "vettle render --write")


def _refusal(file: RenderedFile) -> Said:
    if file.refusal == "edited":
        return problem("rule-file-edited", file.reason, "vettle render --adopt --write")
    if file.refusal == "unknown_rules":
        return problem("rule-file-refused", file.reason, "vettle render --adopt --write")
    return problem("rule-file-refused", file.reason, _editing(file.path))


def _delivered(root: Path, rendering: Rendering) -> Iterator[Said]:
    for hidden in rendering.hidden:
        yield warning(
            "rule-file-hidden",
            f"{hidden.reader} would stop reading {hidden.path}. {hidden.remedy}",
            _editing(hidden.path),
        )
    twice = [one.reader for one in rendering.deliveries if one.more]
    if twice:
        yield _delivered_twice(root, twice, rendering)


def _delivered_twice(root: Path, readers: list[str], rendering: Rendering) -> Said:
    """Say who reads rules more than once: with the fix, or, where no choice of files would avoid it, as it is."""
    from vettle.renderers.plan import NO_BETTER_CHOICE
    from vettle.renderers.standing import named

    what = f"rules are read more than once by {some(readers, _FEW)}"
    if {"CLAUDE.md", "AGENTS.md"} <= {file.path for file in rendering.files}:
        how = "move your text of CLAUDE.md into AGENTS.md, and make CLAUDE.md a link: ln -sf AGENTS.md CLAUDE.md"
        return warning("rule-delivered-twice", f"{what}; {how}", _editing("CLAUDE.md", "AGENTS.md"))
    if NO_BETTER_CHOICE in rendering.notes or not (targets := named(root)):
        return ok(f"{what}, and no choice of files avoids it")
    how = f"somebody rendered {some(targets, _FEW)} by name; without that vettle avoids it where it can"
    fix = f"vettle render {' '.join(targets)} --remove --write && vettle render --write"
    return warning("rule-delivered-twice", f"{what}; {how}", fix)


def _editing(*paths: str) -> str:
    return f'"${{EDITOR:-vi}}" {shlex.join(paths)}'


_FIXES = (
    ("approved", "vettle rule decide {rule} pin 'I read it'"),
    ("about some paths only", "vettle render claude --write"),
    ("its paths cannot", "vettle rule decide {rule} retire 'its paths cannot be written'"),
    ("its text has", "vettle rule decide {rule} reword 'it cannot be written' --text 'SHORT AND VISIBLE'"),
    ("", '"${{EDITOR:-vi}}" .vettle/config.toml  # [render] rules = 25, characters = 2500'),
)
"""What ends it that a rule is left out, by a piece of the reason; the last is for all that has no room."""


def _left_out(found: Sequence[LeftOut]) -> Iterator[Said]:
    """Say once for each fix what is left out; what stands in somebody's own text anyway lacks nothing."""
    said_already = [one for one in found if "says it already" in one.reason]
    if said_already:
        first = said_already[0]
        yield ok(f"{len(said_already)} left out, and read all the same: {first.rule_id}: {first.reason}")
    rest = [one for one in found if one not in said_already]
    by_fix: dict[str, list[LeftOut]] = {}
    for one in rest:
        by_fix.setdefault(next(fix for piece, fix in _FIXES if piece in one.reason), []).append(one)
    for fix, same in by_fix.items():
        what = f"{len(same)} left out: {same[0].rule_id}: {same[0].reason}"
        yield warning("rules-left-out", what, fix.format(rule=same[0].rule_id))
