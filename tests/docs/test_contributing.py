"""CONTRIBUTING.md: four commands, and they are the ones that CI runs."""

from __future__ import annotations

import os
import re

from tests.docs.pages import ROOT, blocks

CONTINUOUS = (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_there_are_four_commands_and_each_is_run_by_ci() -> None:
    """Set up and test are README's one command, lint and types are lines of .ci/run, the final check is .ci/run."""
    set_up, test, check, final = (block.text.strip() for block in blocks(ROOT / "CONTRIBUTING.md"))
    readme = next(block.text.strip() for block in blocks(ROOT / "README.md") if "pytest" in block.text)
    assert f"{set_up} && {test}" == readme
    assert set(check.split(" && ")) <= set(CONTINUOUS.splitlines())
    assert final == ".ci/run" and os.access(ROOT / final, os.X_OK)


def test_ci_runs_nothing_that_contributors_are_not_told() -> None:
    """Every program of the environment that CI starts stands in a command of the page, but for building the package."""
    told = "\n".join(block.text for block in blocks(ROOT / "CONTRIBUTING.md"))
    started = set(re.findall(r"^\.venv/bin/(\S+)", CONTINUOUS, re.MULTILINE))
    assert started - {"python"} and all(f".venv/bin/{program}" in told for program in started - {"python"})
