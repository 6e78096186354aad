"""The findings of a review, checked: one bad finding refuses them all, with every reason.

A severity that is not known is an error and never passes for "nothing found".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ValidationError

from vettle.engine.arguments import Description, Label, Notes
from vettle.engine.candidates.review_markdown import raw_findings
from vettle.engine.errors import InvalidArgument, SourceDamaged
from vettle.engine.exchange import reading
from vettle.engine.records import Record, Severity

SEVERITIES: dict[str, Severity] = {
    "blocker": "blocker",
    "critical": "blocker",
    "major": "warning",
    "warning": "warning",
    "minor": "suggestion",
    "nitpick": "suggestion",
    "suggestion": "suggestion",
}
"""Every severity that a review may use, in any case, and what it is here."""

ASSUMED = "minor"
"""The severity of a finding in JSON that names none."""

MOST_BYTES = 5_000_000
MOST_FINDINGS = 1_000
_MOST_REASONS = 20
_LONGEST_PATH = 500


def _known(value: str) -> str:
    if value.strip().lower() not in SEVERITIES:
        raise ValueError(f"{value[:40]!r} is none of {', '.join(SEVERITIES)}")
    return value.strip().lower()


def _or_empty(value: Any) -> Any:
    """Take null for "not given": reviewers write it for what they do not know."""
    return "" if value is None else value


def _one_line(value: Any) -> Any:
    return " ".join(value.split()) if isinstance(value, str) else value


_Empty = BeforeValidator(_or_empty)
_Spaces = BeforeValidator(_one_line)


class Finding(Record):
    """One finding of a review. `rule_learned` is what would have prevented it, "" if the reviewer said none."""

    severity: Annotated[str, AfterValidator(_known)] = ASSUMED
    category: Annotated[Label, _Spaces, _Empty] = ""
    description: Description
    rule_learned: Annotated[Notes, _Spaces, _Empty] = ""
    location: Annotated[Notes, _Spaces, _Empty] = ""
    why_it_matters: Annotated[Notes, _Empty] = ""
    functional_principle: Annotated[Notes, _Empty] = ""

    @property
    def weight(self) -> Severity:
        """The severity as mistakes have it."""
        return SEVERITIES[self.severity]

    @property
    def file(self) -> str:
        """The path in `location`, "" if it names none: "src/a.py:12" and "`src/a.py` line 12" do."""
        named = _LOCATION.match(self.location) if len(self.location) <= _LONGEST_PATH else None
        return named["path"] if named else ""


_LOCATION = re.compile(r"`?(?P<path>[^\s`:()]*(?:/[^\s`:()]+|\.\w{1,8}))`?(?:$|[\s:,])")


@dataclass(frozen=True, slots=True)
class Review:
    """A review: its findings with the line or number of each, what was passed over, and fields unknown here."""

    findings: tuple[tuple[int, Finding], ...]
    passed: tuple[tuple[int, str, str], ...]
    ignored: tuple[str, ...]


def read(path: Path, name: str) -> Review:
    """Read a review: JSON if the file is named so, or has no name for Markdown and begins like JSON.

    JSON is a list of findings or {"issues": [...]}; docs/finding-rules.md has the forms of Markdown.

    Raises:
        SourceDamaged: It cannot be read, or is broken JSON.
        InvalidArgument: A finding is wrong: the message names each, and why.
    """
    text = reading.text(path, name)
    if len(text) > MOST_BYTES:
        raise SourceDamaged(name, 0, f"longer than {MOST_BYTES:,} characters")
    if path.suffix.lower() == ".json" or (not _is_markdown(path) and text.lstrip()[:1] in ("[", "{")):
        return check(name, list(enumerate(_issues(reading.json_document(path, name), name), 1)))
    raw = raw_findings(text, SEVERITIES)
    if not raw.findings and not raw.problems:
        raise InvalidArgument(
            name,
            "no finding was recognised, which does not mean that there is none",
            "Write one as '- [major] category: description (file:line) -> rule: text'; "
            "a review without findings is the JSON []",
        )
    return check(name, raw.findings, raw.passed, raw.problems)


def _is_markdown(path: Path) -> bool:
    return path.suffix.lower() in (".md", ".markdown")


def _issues(document: Any, name: str) -> list[Any]:
    issues = document.get("issues") if isinstance(document, dict) else document
    if not isinstance(issues, list):
        raise InvalidArgument(name, "neither a list of findings nor an object with a list of issues", _FORM)
    return issues


_FORM = 'Write [{"severity": "major", "category": "...", "description": "...", "rule_learned": "..."}]'


def check(
    name: str,
    raw: Sequence[tuple[int, Any]],
    passed: Sequence[tuple[int, str, str]] = (),
    problems: Sequence[str] = (),
) -> Review:
    """Check findings as they were given (InvalidArgument with the reason of every wrong one)."""
    if len(raw) > MOST_FINDINGS:
        raise InvalidArgument(name, f"{len(raw):,} findings", f"Learn at most {MOST_FINDINGS:,} at a time")
    found: list[tuple[int, Finding]] = []
    wrong, ignored = list(problems), dict[str, None]()
    for number, values in raw:
        if not isinstance(values, dict):
            wrong.append(f"finding {number}: not an object")
            continue
        ignored.update(dict.fromkeys(key for key in values if key not in Finding.model_fields))
        try:
            found.append((number, _finding(values)))
        except ValidationError as error:
            wrong += [f"finding {number}: {_reason(one)}" for one in error.errors()]
    if wrong:
        more = f"; and {len(wrong) - _MOST_REASONS} more" if len(wrong) > _MOST_REASONS else ""
        raise InvalidArgument(
            name, "; ".join(wrong[:_MOST_REASONS]) + more, "Nothing was learned. Mend these and learn again"
        )
    return Review(tuple(found), tuple(passed), tuple(ignored))


def _finding(values: dict[str, Any]) -> Finding:
    known = {key: value for key, value in values.items() if key in Finding.model_fields}
    if known.get("severity", "") is None:
        del known["severity"]
    if not known.get("description"):
        known["description"] = known.get("rule_learned") or ""
    return Finding.model_validate(known, strict=True)


def _reason(error: Any) -> str:
    where = ".".join(map(str, error["loc"]))
    return f"{where}: {error['msg'].removeprefix('Value error, ')}"
