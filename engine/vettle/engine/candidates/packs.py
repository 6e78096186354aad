"""Starter packs: rules that somebody recommends, as YAML, with how strongly they are believed.

A belief (`prior`) decides how early a rule is tried. It proves nothing: coin flips do.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, Field, ValidationError, model_validator

from vettle.engine.arguments import Glob, Label, Notes, Prior, RequiredLabel, RequiredRuleText, Unit
from vettle.engine.candidates.taking import Candidate, Taking, take
from vettle.engine.errors import InvalidArgument, SourceDamaged
from vettle.engine.exchange import reading
from vettle.engine.imports import Found
from vettle.engine.project import Project
from vettle.engine.records import Record
from vettle.engine.records.candidates import PackLearned, PacksListed, PackSummary

LARGEST_BELIEF = 0.1
"""The effect believed of a rule whose pack gives full confidence instead of a prior."""

SEED_CONFIDENCE = 0.5
"""The confidence in a rule of a buildlog seed, which gives none."""

MOST_BYTES = 1_000_000
MOST_RULES = 500
_FOLDER = "starter_packs"
_MOST_REASONS = 20
_NOTE = 4_000


class Reference(Record):
    """Where a rule's reason can be read."""

    url: Notes
    title: Notes = ""


class PackRule(Record):
    """One rule of a pack.

    `prior` is the believed effect on the session score, in [-0.3, 0.3]; `confidence` in [0, 1] is the other
    way to say it, and stands for a tenth of itself.
    """

    text: RequiredRuleText
    category: Label = "general"
    context: Label = ""
    globs: Annotated[tuple[Glob, ...], Field(max_length=20)] = ()
    prior: Prior = 0.0
    rationale: Notes = ""
    antipattern: Notes = ""
    references: tuple[Reference, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _spelled_otherwise(cls, values: Any) -> Any:
        """Take `rule` for `text`, `confidence` for `prior`, and a bare address for a reference."""
        if not isinstance(values, dict):
            return values
        values = dict(values)
        for name, other in (("text", "rule"), ("prior", "confidence")):
            if name in values and other in values:
                raise ValueError(f"{name} and {other} say the same: give one of them")
        if "rule" in values:
            values["text"] = values.pop("rule")
        if "confidence" in values:
            values["prior"] = LARGEST_BELIEF * _Belief(confidence=values.pop("confidence")).confidence
        if isinstance(values.get("references"), list):
            values["references"] = [
                {"url": one} if isinstance(one, str) else one for one in values["references"]
            ]
        return values

    @property
    def why(self) -> str:
        """The rationale with what to avoid and where to read on, as one note."""
        parts = [self.rationale]
        if self.antipattern:
            parts.append(f"Instead of: {self.antipattern}")
        if self.references:
            parts.append(f"See {', '.join(one.url for one in self.references)}")
        return " ".join(" ".join(part for part in parts if part).split())[:_NOTE]


class _Belief(Record):
    confidence: Unit


def _some_rules(value: list[PackRule]) -> list[PackRule]:
    if not value:
        raise ValueError("must not be empty")
    return value


class Pack(Record):
    """A starter pack."""

    name: RequiredLabel
    description: Notes = ""
    rules: Annotated[list[PackRule], Field(max_length=MOST_RULES), AfterValidator(_some_rules)]


def listed() -> PacksListed:
    """Return the packs that come with vettle."""
    packs = [_parsed(*_shipped(name)) for name in _names()]
    return PacksListed(
        packs=[
            PackSummary(name=pack.name, description=pack.description, rules=len(pack.rules)) for pack in packs
        ],
        next_step="Take one: vettle learn --pack NAME --dry-run.",
    )


def learn(project: Project, pack: str, *, apply: bool = True) -> PackLearned:
    """Add the rules of a pack, named or in a file, as candidates; what is known is left as it is.

    Raises:
        InvalidArgument: No pack and no file has this name, or a rule of it is wrong: the message says which.
        SourceDamaged: The file is no YAML.
    """
    taken = load(pack)
    candidates = [Candidate(_found(taken, rule), number) for number, rule in enumerate(taken.rules, 1)]
    with project.write() if apply else project.read() as transaction:
        taking = take(transaction, candidates, apply=apply)
    return PackLearned(
        pack=taken.name,
        description=taken.description,
        rules=taking.rules,
        counts=taking.counts,
        not_taken=[report for _, report in taking.not_taken],
        applied=apply,
        next_step=_next_step(taking, apply),
    )


def load(pack: str) -> Pack:
    """Return the pack of this name, or in this file (see `learn` for what is raised)."""
    if pack in _names():
        return _parsed(*_shipped(pack))
    path = Path(pack)
    try:
        exists = path.is_file()
    except OSError:
        exists = False
    if not exists:
        raise InvalidArgument(
            "pack", f"no starter pack and no file {pack[:200]!r}", f"There are {', '.join(_names())}"
        )
    return _parsed(path.name, reading.text(path, path.name))


def _names() -> list[str]:
    folder = files("vettle.engine.candidates") / _FOLDER
    return sorted(
        entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")
    )


def _shipped(name: str) -> tuple[str, str]:
    file = files("vettle.engine.candidates") / _FOLDER / f"{name}.yaml"
    return name, file.read_text(encoding="utf-8")


def _parsed(name: str, text: str) -> Pack:
    """Return the pack that YAML says, ours or a buildlog seed."""
    if len(text) > MOST_BYTES:
        raise SourceDamaged(name, 0, f"longer than {MOST_BYTES:,} characters")
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        raise SourceDamaged(name, mark.line + 1 if mark else 0, f"not YAML ({problem})") from error
    if not isinstance(document, dict):
        raise InvalidArgument(name, "not a mapping with name and rules", _FORM)
    try:
        return Pack.model_validate(_from_seed(document) if "persona" in document else document)
    except ValidationError as error:
        reasons = [_reason(one) for one in error.errors()]
        raise InvalidArgument(name, "; ".join(reasons[:_MOST_REASONS]), _FORM) from error


_FORM = "Write name, description and rules, each with text, and see docs/finding-rules.md for the rest"


def _reason(error: Any) -> str:
    where = [f"rule {part + 1}" if isinstance(part, int) else str(part) for part in error["loc"]]
    return f"{' '.join(where) or 'pack'}: {error['msg'].removeprefix('Value error, ')}"


def _from_seed(document: dict[str, Any]) -> dict[str, Any]:
    """Return a buildlog seed as a pack: its context is prose, which belongs to the rationale."""
    rules = document.get("rules")
    rows = [_seed_rule(row) for row in rules] if isinstance(rules, list) else rules
    return {
        "name": document["persona"],
        "description": document.get("description", "A seed of buildlog."),
        "rules": rows,
    }


def _seed_rule(row: Any) -> Any:
    if not isinstance(row, dict):
        return row
    kept = {key: row[key] for key in ("rule", "category", "antipattern", "references") if key in row}
    about = f"It is about: {row['context']}." if row.get("context") else ""
    confidence = row.get("confidence")
    number = confidence if isinstance(confidence, (int, float)) else SEED_CONFIDENCE
    return {**kept, "confidence": number, "rationale": f"{row.get('rationale') or ''} {about}".strip()}


def _found(pack: Pack, rule: PackRule) -> Found:
    return Found(
        rule.text,
        rule.globs,
        f"pack {pack.name}",
        category=rule.category or "general",
        context=rule.context,
        prior=rule.prior,
        rationale=rule.why,
    )


def _next_step(taking: Taking, apply: bool) -> str:
    if not apply:
        return "Nothing was recorded. To take it: the same command without --dry-run."
    if taking.counts.get("quarantined"):
        return "Some need a person: vettle rules --status quarantined."
    if not taking.counts.get("new"):
        return "Nothing new: all its rules are known."
    return "Nothing to do: sessions will try them, the believed ones first, and the evidence decides."
