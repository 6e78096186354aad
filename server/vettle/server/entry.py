"""The way in of `vettle` and `python -m vettle`: hooks take a path that imports next to nothing, all else the CLI."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Answer a hook of an assistant at once, or run the command line."""
    given = sys.argv[1:]
    if given[:1] == ["hook"]:
        # Imported here, as everything in this module: each millisecond is paid at every step of an agent.
        from vettle.server.hooks import answering

        if answering.is_event(given[1:]):
            answering.answer(given[1], given[2])
            # Not sys.exit: tearing the interpreter down takes time, and could still fail.
            os._exit(0)
        if given[1:2] == ["record"] and len(given) == 3:
            from vettle.server.hooks import recording

            recording.record(given[2])
            return
    from vettle.server import cli

    cli.main()
