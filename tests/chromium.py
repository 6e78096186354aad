"""The browser that tests look at the report with."""

from __future__ import annotations

import os

import pytest
from docs.generator.browser import MISSING, find


def required() -> str:
    """Return the browser's file; where there is none, CI fails and anybody else skips the test."""
    executable = find()
    if not executable:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    return executable
