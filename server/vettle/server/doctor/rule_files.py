"""The assistants' rule files: do they say what is proven, once, to everybody, and did somebody edit them?"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from vettle.engine.errors import FilesRefused
from vettle.engine.records import LeftOut, RenderedFile, Rendering
from vettle.engine.store import rules
from vettle.engine.wording import some
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
    yield from _delivered(rendering)
    yield from _untestable(untestable(case.project))
    if rendering.files:
        if rendering.in_sync:
            yield ok(f"{len(rendering.files)} rule files are as they should be")
    else:
        yield _nowhere(case, rendering)


def _nowhere(case: Case, rendering: Rendering) -> Said:
    """Say whether it is right that there is no file."""
    waiting = []
    if case.store is not None:
        with case.store.read() as transaction:
            waiting = rules.with_status(transaction, ("proven", "pinned"))
    if not waiting:
        return ok("none is due")
    first, why = waiting[0].id, " ".join(rendering.notes)
    return warning(
        "rules-left-out",
        f"{len(waiting)} in no file: {first}. {why}".rstrip(),
        "vettle render agents --write",
    )


def _untestable(found: dict[str, int]) -> Iterator[Said]:
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


def _delivered(rendering: Rendering) -> Iterator[Said]:
    for hidden in rendering.hidden:
        yield warning(
            "rule-file-hidden",
            f"{hidden.reader} would stop reading {hidden.path}. {hidden.remedy}",
            _editing(hidden.path),
        )
    twice = [one.reader for one in rendering.deliveries if one.more]
    if twice:
        yield _delivered_twice(twice, [file.path for file in rendering.files])
    if rendering.left_out:
        yield _left_out(rendering.left_out)


def _delivered_twice(readers: list[str], paths: list[str]) -> Said:
    what = f"rules are read more than once by {some(readers, _FEW)}"
    if {"CLAUDE.md", "AGENTS.md"} <= set(paths):
        how = "move your text of CLAUDE.md into AGENTS.md, and make CLAUDE.md a link: ln -sf AGENTS.md CLAUDE.md"
        return warning("rule-delivered-twice", f"{what}; {how}", _editing("CLAUDE.md", "AGENTS.md"))
    how = "keep each rule in one of these files, and take it out of what you wrote yourself"
    return warning("rule-delivered-twice", f"{what}; {how}", _editing(*paths[:_FEW]))


def _editing(*paths: str) -> str:
    return f'"${{EDITOR:-vi}}" {shlex.join(paths)}'


def _left_out(found: list[LeftOut]) -> Said:
    first = found[0]
    fix = '"${EDITOR:-vi}" .vettle/config.toml  # [render] rules = 25, characters = 2500'
    if "approved" in first.reason:
        fix = f"vettle rule decide {first.rule_id} pin 'I read it'"
    return warning("rules-left-out", f"{len(found)} left out: {first.rule_id}: {first.reason}", fix)
