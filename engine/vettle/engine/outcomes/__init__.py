"""Outcomes that nobody has to state: of tests, of a command's exit code, and of what became of a change."""
