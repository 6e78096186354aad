"""The text that an assistant is given when its session starts."""

from __future__ import annotations

from vettle.engine.records.sessions import PreparedSession

MOST_CHARACTERS = 2_000
"""Rules may go beyond it, because each that the decision shows must be shown; all else is cut."""

_LONGEST_MISTAKE = 200


def told(prepared: PreparedSession) -> str:
    """Return the rules to follow, mistakes worth avoiding while there is room, and the session's id."""
    parts = []
    if prepared.rules:
        rules = "\n".join(f"- {' '.join(rule.text.split())}" for rule in prepared.rules)
        parts.append(
            f"Follow these rules of the project in this session (vettle measures whether they help):\n{rules}"
        )
    tools = (
        f"This is vettle session {prepared.session_id}; it has begun and ends with this conversation, so call neither "
        "session_start nor session_end. If you have vettle's tools, pass this session_id to mistake_log and reward_log."
    )
    room = MOST_CHARACTERS - len("\n\n".join([*parts, tools])) - 2
    avoid = _avoid(prepared, room)
    return "\n\n".join([*parts, *([avoid] if avoid else []), tools])


def _avoid(prepared: PreparedSession, room: int) -> str:
    """Return the mistakes made most often, in at most so many characters, "" for none."""
    text = "Past mistakes worth avoiding:"
    lines: list[str] = []
    for mistake in prepared.avoid:
        correction = f" -> {mistake.correction}" if mistake.correction else ""
        line = " ".join(f"- {mistake.error_class}: {mistake.description}{correction}".split())[
            :_LONGEST_MISTAKE
        ]
        if len("\n".join([text, *lines, line])) > room:
            break
        lines.append(line)
    return "\n".join([text, *lines]) if lines else ""
