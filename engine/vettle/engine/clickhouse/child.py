"""Run the statements of one analysis in embedded ClickHouse, in a process of its own.

A program, not a module: it is started by its path, by any Python that has chdb, in a private folder that holds
`rows.jsonl`. It reads its order as JSON from stdin and answers as JSON on stdout. It imports nothing of vettle,
so it can never open a project's database.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any


def _answer(order: dict[str, Any]) -> dict[str, Any]:
    try:
        session = import_module("chdb.session")
    except ImportError:
        return {"missing": "chdb"}
    engine = session.Session(str(Path.cwd() / "engine"))
    try:
        for statement in order["preparations"]:
            engine.query(statement)
        found = {}
        for name, statement in order["questions"].items():
            text = engine.query(statement, "JSONCompactEachRow").bytes().decode("utf-8")
            found[name] = [json.loads(line) for line in text.split("\n") if line]
        return {"found": found}
    except RuntimeError as error:
        return {"error": str(error)}
    finally:
        engine.close()


def main() -> None:
    """Answer one order."""
    order = json.load(sys.stdin)
    # What the engine itself may print must not come between the answer's lines.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    json.dump(_answer(order), answers)
    answers.close()


if __name__ == "__main__":
    main()
