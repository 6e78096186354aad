"""What to tell an agent so that a mistake is not made again, without asking a model."""

from __future__ import annotations

_AGAINST = {
    "test-failure": "Before you finish, run the tests that keep failing, such as: {}",
    "type-error": "Run the type checker before you finish. It keeps finding: {}",
    "lint-failure": "Run the linter before you finish. It keeps finding: {}",
    "build-failure": "Build the project before you finish. What keeps going wrong: {}",
    "command-not-found": "Do not call programs that are not installed here, such as: {}",
    "edit-failed": "Read a file again before you edit it. What keeps going wrong: {}",
    "tool-failure": "",
}
"""By the class of a mistake whose description is what a tool printed, and no words of anybody: see docs/hooks.md."""


def against(error_class: str, description: str, correction: str = "") -> str:
    """Return one line that tells an agent what to do: the correction, or else what follows from the kind of mistake.

    It is "" where nothing does: that some tool failed tells nobody what to do instead.
    """
    text = correction or _AGAINST.get(error_class, "Avoid this mistake: {}").format(description)
    return " ".join(text.split())
