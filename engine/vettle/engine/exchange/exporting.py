"""Exporting the best configuration, or the fallback chains, as text, and into a file of the project's."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from vettle.engine import files
from vettle.engine.errors import FilesRefused, InvalidArgument
from vettle.engine.exchange.best import best
from vettle.engine.exchange.formats import MARK, as_json, as_yaml, dotenv, markdown
from vettle.engine.experiments.lifecycle import require
from vettle.engine.project import Project
from vettle.engine.ranking.chains import chains
from vettle.engine.ranking.ranks import rank
from vettle.engine.records.exports import BestExported, ExportFormat

_NOT_OURS = (".git", ".vettle")
_BEGINNING = 400
_CONFIGURATIONS = ("json", "env", "yaml")
"""The formats that programs read a configuration from."""


def export(
    project: Project,
    *,
    experiment: str = "",
    format: ExportFormat = "json",
    metric: str = "",
    minimum_runs: int = 1,
    top: int = 5,
    context: str = "",
    prefix: str = "",
    path: str = "",
    characters: int = 0,
) -> BestExported:
    """Return the best configuration of an experiment as text, and write it to `path` if one is given.

    The format "chain" gives the order in which to fall back from one model to the next instead, in one context
    or in all; with an experiment, from one value of its variable to the next. `prefix` goes in front of the names
    of "env". An answer of more than `characters` (0: of any length) leaves its text out. Where there is no best
    variant no file is written that a program would read, so an earlier configuration stays.

    Raises:
        UnknownExperiment: No experiment has this id or name.
        InvalidArgument: An argument does not fit the format, the metric was never recorded, or the path lies
            outside the project.
        FilesRefused: There is something at the path that no export has written, or it cannot be written.
    """
    _check(format, prefix, context, metric)
    if path:
        _require_ours(project, path)
    if format == "chain":
        answer = _chain(project, experiment, context)
    else:
        answer = _best(project, experiment, format, metric, minimum_runs, top, prefix)
    if path and format in _CONFIGURATIONS and not answer.variant:
        note = "No file was written, because there is no configuration to put into it."
        answer = answer.model_copy(update={"notes": [note, *answer.notes]})
    elif path:
        written = files.write(project, "path", path, answer.text)
        answer = answer.model_copy(update={"path": written})
    return _fitted(answer, characters)


def _check(format: str, prefix: str, context: str, metric: str) -> None:
    """Refuse a format that there is not, and arguments that it has no use for."""
    if format not in get_args(ExportFormat):
        raise InvalidArgument(
            "format", f"no format {format[:40]!r}", f"Formats: {', '.join(get_args(ExportFormat))}"
        )
    if prefix and format != "env":
        raise InvalidArgument(
            "prefix", f"{format} has no names to put it in front of", 'Use it with format "env"'
        )
    if context and format != "chain":
        raise InvalidArgument("context", "an experiment has its own", 'Use it with format "chain"')
    if metric and format == "chain":
        raise InvalidArgument("metric", "a chain ranks by what the models achieved", "Leave it out")


def _best(
    project: Project,
    experiment: str,
    format: ExportFormat,
    metric: str,
    minimum_runs: int,
    top: int,
    prefix: str,
) -> BestExported:
    if not experiment:
        raise InvalidArgument("experiment", "it is missing", "Pass its id or name; experiments_list has them")
    found = best(project, experiment, metric=metric, minimum_runs=minimum_runs, top=top)
    if format == "env":
        text = dotenv.render(found, prefix)
    else:
        text = {"json": as_json, "yaml": as_yaml, "markdown": markdown}[format].render(found)
    return BestExported(
        format=format,
        text=text,
        characters=len(text),
        path="",
        variant=found.variant,
        proven=found.proven,
        outcome=found.verdict.outcome if found.verdict else "",
        answer=found.answer,
        notes=found.notes,
    )


def _chain(project: Project, experiment: str, context: str) -> BestExported:
    variable = "model"
    if experiment:
        with project.read() as transaction:
            variable = require(transaction, experiment).variable
        if not variable:
            raise InvalidArgument(
                "experiment", "it names no variable, so nothing is ranked", "Leave it out to rank models"
            )
    ranked = rank(project, variable=variable, context=context)
    answer = f"Fallback chains of {variable!r}, believed and not proven (results: {ranked.results})."
    text = as_json.dumps({"about": f"{MARK}. {answer}", **chains(ranked)}, indent=2) + "\n"
    return BestExported(
        format="chain",
        text=text,
        characters=len(text),
        path="",
        variant="",
        proven=False,
        outcome="",
        answer=answer,
        notes=ranked.notes,
    )


def _require_ours(project: Project, path: str) -> None:
    """Refuse a path whose file is not an earlier export: what somebody else wrote is never replaced."""
    relative = project.relative("path", path)
    place = project.root / relative
    real = place.resolve().relative_to(project.root.resolve())
    parts = {part.casefold() for one in (Path(relative), real) for part in one.parts}
    if parts & set(_NOT_OURS):
        raise FilesRefused(f"{relative}: {' and '.join(_NOT_OURS)} are not for exports. Choose another path.")
    if place.is_symlink() or (place.exists() and not place.is_file()):
        raise FilesRefused(f"{relative}: it is not a regular file. Choose another path.")
    if not place.exists():
        return
    try:
        with place.open("rb") as stream:
            beginning = stream.read(_BEGINNING)
    except OSError as error:
        raise FilesRefused(f"{relative}: cannot be read ({error.strerror}). Choose another path.") from error
    if MARK.encode() not in beginning:
        raise FilesRefused(
            f"{relative}: no export has written this file, so it stays. Choose another path, or remove it first."
        )


def _fitted(answer: BestExported, characters: int) -> BestExported:
    """Leave the text out of an answer that would be too long."""
    if not characters or len(answer.model_dump_json()) <= characters:
        return answer
    where = f"it is in {answer.path}" if answer.path else "pass path to have it written to a file"
    note = f"The text has {answer.characters:,} characters, too many for a reply: {where}."
    return answer.model_copy(update={"text": "", "notes": [note, *answer.notes]})
