"""Checking what a command was given as its tool would, and saying what is wrong in the words of the command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from vettle.server.signatures import signature
from vettle.server.tool import Tool


def checked(tool: Tool, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments, checked and completed with defaults; errors name the command's options (InvalidArgument)."""
    asked = click.get_current_context()
    return signature(tool).validate(
        given,
        spelled={str(one.name): _spelled(one) for one in asked.command.params},
        remedy=f"See: {asked.command_path} --help",
    )


def _spelled(parameter: click.Parameter) -> str:
    return (
        parameter.opts[0]
        if isinstance(parameter, click.Option)
        else parameter.human_readable_name.strip("[]")
    )
