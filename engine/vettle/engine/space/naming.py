"""What a configuration is called: an id that is its hash, and a short name for people."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from vettle.engine.errors import InvalidArgument
from vettle.engine.identifiers import canonical_json
from vettle.engine.quarantine import hidden_characters
from vettle.engine.space.values import NAME_CHARACTERS, Json, plain


def variant_id(configuration: Mapping[str, Json]) -> str:
    """Return what identifies a variant: the SHA-256 of its canonical JSON in UTF-8, 64 lower-case hex digits.

    The order of keys does not matter, the order of a list does; 1 and 1.0 are the same. Ids do not depend on
    a space, so adding a value or a constraint renames nothing.

    Raises:
        InvalidArgument: The configuration is not JSON: NaN, for one, has to be written as text.
    """
    return hashlib.sha256(spelled(configuration, depth=0).encode()).hexdigest()


def variant_name(configuration: Mapping[str, Json]) -> str:
    """Return a name for people, such as "model=a, temperature=0.2", in the order of the keys given.

    One line of at most 120 characters: control and invisible characters become spaces, and where it would be
    too long, every value gets a fair share, so that a long prompt does not hide the rest. Names need not
    differ; ids do.

    Raises:
        InvalidArgument: The configuration is not JSON.
    """
    spelled(configuration, depth=0)
    parts = [_one_line(f"{name}={_as_text(value)}"[:1_000]) for name, value in configuration.items()]
    if len(", ".join(parts)) > NAME_CHARACTERS:
        share = max(12, (NAME_CHARACTERS + 2) // len(parts) - 2)
        parts = [_cut(part, share) for part in parts]
    return _cut(", ".join(parts), NAME_CHARACTERS) or "(no settings)"


def spelled(value: object, depth: int = 1) -> str:
    """Return the spelling by which values are compared (InvalidArgument for what is not JSON)."""
    try:
        return canonical_json(plain(value, depth))
    except ValueError as problem:
        raise InvalidArgument(
            "configuration", f"a value {problem}", "Pass an object of names and JSON values"
        ) from None


def _as_text(value: Json) -> str:
    return value if isinstance(value, str) else canonical_json(plain(value))


def _one_line(text: str) -> str:
    return " ".join("".join(" " if hidden_characters(one) else one for one in text).split())


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
