"""Bring rule files in line with the rules: plan every change first, then write all of them or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from vettle.engine.errors import EditedByHand, FilesRefused, ProjectNotFound
from vettle.engine.records import Rendering, Rule
from vettle.engine.settings import RenderSettings
from vettle.renderers.plan import make
from vettle.renderers.survey import Request
from vettle.renderers.write import WRITES
from vettle.renderers.write import write as write_plan


def render(
    root: Path,
    rules: Sequence[Rule],
    *,
    targets: Sequence[str] = ("auto",),
    settings: RenderSettings | None = None,
    known: Mapping[str, str] | None = None,
    write: bool = False,
    check: bool = False,
    remove: bool = False,
    force: bool = False,
    adopted: Mapping[str, str] | None = None,
) -> Rendering:
    """Bring the rule files of the project at `root` in line with `rules`, which come strongest first.

    Only proven and pinned rules are rendered; `remove`, like an empty set of rules, takes out everything
    that vettle wrote. A named target gets all its files; `auto` chooses among those of the assistants in use
    so that each reads every rule once. Nothing is written without `write`, with `check`, or when any file is
    refused: the refused ones are in the answer, and `raise_if_refused` turns them into an exception. `force`
    overwrites hand edits of what vettle wrote, and nothing else. A damaged lock file raises FilesRefused.

    Where nothing shows which assistant is used, and no target is named, rules reach no file: the answer is neither
    `in_sync` nor, unless an old file went, `written`.

    `known` are the texts of all rules in the database, by id. A file with other rules was rendered from another
    database: it is refused, and only compared with the lock file by `check`, if that lists it. `adopted` are the hand
    edits that became rules: each path with the hash of the bytes that were read (see `edits`).
    """
    if not root.is_dir():
        raise ProjectNotFound(f"{root} is not a folder")
    request = Request(
        root.resolve(),
        () if remove else rules,
        targets,
        settings or RenderSettings(),
        known,
        check=check,
        remove=remove,
        force=force,
        adopted=adopted or {},
    )
    plan = make(request)
    writes = write and not check
    if writes and not plan.is_refused:
        plan = write_plan(request, plan)
    changed = any(change.file.action in WRITES for change in plan.changes)
    written = writes and not plan.is_refused and (changed or plan.in_sync)
    return Rendering(
        files=[change.file for change in plan.changes],
        left_out=plan.left_out,
        in_sync=plan.in_sync or (written and not plan.unreached),
        written=written,
        deliveries=plan.deliveries,
        hidden=plan.hidden,
        notes=plan.notes,
    )


def raise_if_refused(rendering: Rendering) -> None:
    """Raise FilesRefused if any file was refused; EditedByHand if every refusal is a hand edit."""
    refused = [file for file in rendering.files if file.action == "refused"]
    if not refused:
        return
    only_edits = all(file.refusal == "edited" for file in refused)
    reasons = " ".join(file.reason for file in refused)
    raise (EditedByHand if only_edits else FilesRefused)(f"Nothing was written. {reasons}")
