"""The tools that record something, as commands: the same arguments, the same record with --json."""

from __future__ import annotations

import inspect
import json
import sys
from functools import partial
from typing import Any, Literal, get_args, get_origin

import click

from vettle.engine.errors import InvalidArgument
from vettle.engine.records import Record
from vettle.server import tools
from vettle.server.commands.common import emit, fields, open_project
from vettle.server.signatures import description, signature


def command(tool: tools.Tool, name: str, example: str) -> click.Command:
    """Make a command of a tool: required arguments by position, all others as options."""
    of = signature(tool)

    def run(as_json: bool, arguments: str, **given: Any) -> None:
        values = _from_json(arguments)
        values |= {key: value for key, value in given.items() if value is not None and value != ()}
        checked = of.validate(values)
        with open_project() as project:
            answer: Record = tool.function(project, **checked)
        emit(answer, as_json, partial(fields, answer))

    parameters = [_parameter(parameter) for parameter in of.parameters]
    parameters += [
        click.Option(
            ["--arguments"],
            default="",
            metavar="JSON",
            help='All arguments as one JSON object; "-" reads stdin.',
        ),
        click.Option(["--json", "as_json"], is_flag=True, help="Print the record as JSON."),
    ]
    help_text = f"Example: {example}\n\n{inspect.cleandoc(tool.function.__doc__ or '')}"
    return click.Command(name, params=parameters, callback=run, help=help_text, short_help=tool.title + ".")


def _from_json(arguments: str) -> dict[str, Any]:
    if not arguments:
        return {}
    text = sys.stdin.read() if arguments == "-" else arguments
    try:
        values = json.loads(text)
    except ValueError as error:
        raise InvalidArgument("--arguments", f"not JSON ({error})", "Pass one JSON object") from error
    if not isinstance(values, dict):
        raise InvalidArgument("--arguments", "not a JSON object", 'Pass one such as {"task": "..."}')
    return values


def _parameter(parameter: inspect.Parameter) -> click.Parameter:
    base, many = _base(parameter.annotation)
    if parameter.default is parameter.empty:
        return click.Argument(
            [parameter.name], required=False, type=_type(base), metavar=parameter.name.upper()
        )
    help_text = description(parameter)
    if parameter.default not in ("", (), False, -1):
        help_text = f"{help_text} [default: {parameter.default}]".strip()
    name = f"--{parameter.name.removesuffix('s') if many else parameter.name}".replace("_", "-")
    return click.Option(
        [name, parameter.name],
        type=_type(base),
        multiple=many,
        default=None,
        help=help_text + (" (repeatable)" if many else ""),
    )


def _base(annotation: Any) -> tuple[Any, bool]:
    """Return the bare type of an argument, and whether it takes many values."""
    if hasattr(annotation, "__metadata__"):
        return _base(annotation.__origin__)
    if get_origin(annotation) is tuple:
        return _base(get_args(annotation)[0])[0], True
    return annotation, False


def _type(base: Any) -> Any:
    choices = _choices(base)
    if choices:
        return click.Choice(choices)
    return base if base in (int, float, bool) else str


def _choices(base: Any) -> list[str]:
    if get_origin(base) is Literal:
        return [choice for choice in get_args(base) if choice]
    return [choice for part in get_args(base) for choice in _choices(part)]


def _group(name: str, help_text: str, *commands: click.Command) -> click.Group:
    return click.Group(name, commands=list(commands), help=help_text)


session = _group(
    "session",
    "Example: vettle session start 'fix the login test' --context bug-fix\n\nStart or end a session.",
    command(
        tools.find(tools.session_start),
        "start",
        "vettle session start 'fix the login test' --context bug-fix",
    ),
    command(
        tools.find(tools.session_end),
        "end",
        "vettle session end --session-id s-1f2e3d4c5b6a --outcome accepted",
    ),
)
mistake = command(
    tools.find(tools.mistake_log),
    "mistake",
    "vettle mistake missing-import 'NameError: re' --correction 'import re'",
)
reward = command(tools.find(tools.reward_log), "reward", "vettle reward accepted --source human")
rule = _group(
    "rule",
    "Example: vettle rule add 'Run the type checker before committing.'\n\nAdd a rule, or decide about one.",
    command(
        tools.find(tools.rule_add),
        "add",
        "vettle rule add 'Run the type checker.' --glob '**/*.py' --source human",
    ),
    command(
        tools.find(tools.rule_decide),
        "decide",
        "vettle rule decide run-the-type-checker-1a2b3c pin 'team decision'",
    ),
)
