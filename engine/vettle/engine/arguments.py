"""The types of arguments: what a call may contain, checked in one place before anything is recorded.

Text never carries control characters or lone surrogates; lines are single. Sizes are bounded, so nobody
can log ten megabytes. Nothing that looks like a secret gets further: in prose it is replaced, and a name, an id
or a configuration, which has to come back as it was given, is refused. Tools and commands take their schemas, help
and checks from these types.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field, JsonValue

from vettle.engine import quarantine

_Json = TypeVar("_Json", bound=object)


def _one_line(value: str) -> str:
    bad = next((c for c in value if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")), None)
    if bad is not None:
        raise ValueError(f"must be one line without control characters, found U+{ord(bad):04X}")
    return value.strip()


def _no_secret(value: str) -> str:
    if quarantine.holds_secret(value):
        raise ValueError(
            "must not hold what looks like a secret (a key, a token, a password or a URL with one); leave it out"
        )
    return value


def _no_secrets(value: _Json) -> _Json:
    """Refuse a configuration with a secret in it: replacing it would make it another configuration."""
    if quarantine.holds_secret(value):
        raise ValueError(
            "must not hold what looks like a secret (a key, a token, a password or a URL with one); "
            "write the name of the environment variable that has it"
        )
    return value


def _paragraphs(value: str) -> str:
    value = value.replace("\r\n", "\n")
    bad = next((c for c in value if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"), None)
    if bad is not None:
        raise ValueError(f"must not contain control characters, found U+{ord(bad):04X}")
    return quarantine.redact(value).strip()


def _not_blank(value: str) -> str:
    if not value:
        raise ValueError("must not be empty")
    return value


def _no_way_out(value: str) -> str:
    """Refuse a pattern that names a place outside the project."""
    path = value.replace("\\", "/")
    windows = PureWindowsPath(value)
    if PurePosixPath(path).is_absolute() or windows.drive or windows.root or ".." in path.split("/"):
        raise ValueError("must be relative to the project, without '..'")
    return path


_DAYS = "[1-9][0-9]{0,3}d"


def _period(value: str) -> str:
    """Refuse what is neither days nor everything, in words: a regular expression says nothing to most people."""
    if value != "all" and not re.fullmatch(_DAYS, value, re.ASCII):
        raise ValueError("must be a number of days such as 7d, or all")
    return value


RULE_CHARACTERS = 400
"""The longest a rule may be; longer text is refused, never cut, because a cut can drop an "unless"."""

_Line = AfterValidator(_one_line)
_Open = AfterValidator(_no_secret)
_Text = AfterValidator(_paragraphs)
_NotBlank = AfterValidator(_not_blank)
_NoWayOut = AfterValidator(_no_way_out)

Identifier = Annotated[str, Field(max_length=120), _Line, _Open]
Label = Annotated[str, Field(max_length=120), _Line, _Open]
RequiredLabel = Annotated[str, Field(min_length=1, max_length=120), _Line, _Open, _NotBlank]
Task = Annotated[str, Field(max_length=2_000), _Text]
RequiredTask = Annotated[str, Field(min_length=1, max_length=2_000), _Text, _NotBlank]
Description = Annotated[str, Field(min_length=1, max_length=4_000), _Text, _NotBlank]
Notes = Annotated[str, Field(max_length=4_000), _Text]
# Of a rule's text the rules themselves say so: one of several proposals is rejected, and not all of them.
RuleText = Annotated[str, Field(max_length=RULE_CHARACTERS), _Line]
RequiredRuleText = Annotated[str, Field(min_length=1, max_length=RULE_CHARACTERS), _Line, _NotBlank]
ProjectPath = Annotated[str, Field(max_length=1_000), _Line, _Open]
Glob = Annotated[str, Field(min_length=1, max_length=200), _Line, _Open, _NotBlank, _NoWayOut]
Reason = Annotated[str, Field(min_length=1, max_length=400), _Line, _Open, _NotBlank]
Reference = Annotated[str, Field(max_length=200), _Line, _Open]
Cursor = Annotated[str, Field(max_length=200), _Line, _Open]
Configuration = Annotated[dict[str, JsonValue], AfterValidator(_no_secrets)]
Dimensions = Annotated[dict[str, list[JsonValue]], AfterValidator(_no_secrets)]
Period = Annotated[str, Field(json_schema_extra={"pattern": rf"^({_DAYS}|all)$"}), AfterValidator(_period)]
Unit = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Weight = Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)]
Prior = Annotated[float, Field(ge=-0.3, le=0.3, allow_inf_nan=False)]
Seed = Annotated[int, Field(ge=-1, lt=2**53)]
Limit = Annotated[int, Field(ge=1, le=100)]
