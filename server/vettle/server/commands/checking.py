"""Calling a tool with what a command was given, and saying what is wrong with that in the words of the command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from vettle.server.commands.common import open_project
from vettle.server.signatures import signature
from vettle.server.tool import Tool
from vettle.server.toolsets import find

Answer = TypeVar("Answer")


def answered(tool: Callable[..., Answer], given: Mapping[str, Any]) -> Answer:
    """Return what a tool answers in the project of the command; errors are those of `checked` and the tool's own."""
    arguments = checked(find(tool), given)
    with open_project() as project:
        return tool(project, **arguments)


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
