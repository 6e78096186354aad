"""The tools that record something, as commands: the same arguments, the same record with --json."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from copy import copy
from typing import Any, Literal, get_args, get_origin

import click
from pydantic import BaseModel

from vettle.engine import subjects
from vettle.engine.errors import InvalidArgument
from vettle.engine.project import Project
from vettle.engine.records.experiments import ExperimentResults, ExperimentsPage
from vettle.server import experiment_tools, tools
from vettle.server.commands.checking import checked
from vettle.server.commands.common import (
    Choice,
    counts,
    drawn,
    emit,
    fields,
    given_bytes,
    open_project,
    parsed_json,
    table,
)
from vettle.server.commands.completing import of_argument
from vettle.server.commands.groups import Group
from vettle.server.commands.wording import worded
from vettle.server.commands.working import working
from vettle.server.git import snapshots
from vettle.server.lab import experimenting
from vettle.server.signatures import description, signature
from vettle.server.tool import Tool
from vettle.server.toolsets import find

_SHORTER = {"--session-id": ("--session",)}
"""What people write for an option that is named like the tool's argument; both are accepted everywhere."""


def command(
    tool: Tool, name: str, example: str, text: Callable[[Any], Iterator[str]] = fields
) -> click.Command:
    """Make a command of a tool: required arguments by position, all others as options; `text` shows its answer."""
    of = signature(tool)
    nested = {parameter.name for parameter in of.parameters if _is_nested(parameter.annotation)}

    def run(as_json: bool, arguments: str, **given: Any) -> None:
        values = _from_json(arguments)
        given = {key: value for key, value in given.items() if value is not None and value != ()}
        values |= {key: _parsed(key, value) if key in nested else value for key, value in given.items()}
        # JSON has the names that the tool has.
        checked_values = of.validate(values) if arguments else checked(tool, values)
        with open_project() as project, working(tool.title.lower()):
            meant = checked_values if arguments else _whole(project, tool.name, checked_values)
            answer = tool.function(project, **meant)
            if tool.snapshot:
                snapshots.take(tool.snapshot, project.root, project.state_folder, answer.session_id)
        emit(answer, as_json, lambda: text(worded(answer)))

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


_SHORTENED: dict[str, tuple[str, Literal["rule", "experiment"]]] = {
    "rule_decide": ("rule_id", "rule"),
    "experiment_decide": ("experiment", "experiment"),
    "experiment_results": ("experiment", "experiment"),
}
"""The arguments that a person may shorten: not those of commands that scripts repeat, whose runs could land elsewhere."""


def _whole(project: Project, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments with the whole id in place of a piece that only one rule or experiment has, and say which."""
    name, kind = _SHORTENED.get(tool, ("", "rule"))
    given = arguments.get(name)
    if not given:
        return arguments
    meant = subjects.whole(project, kind, given)
    if meant != given:
        click.echo(f"{kind} {meant}", err=True)
    return {**arguments, name: meant}


def _from_json(arguments: str) -> dict[str, Any]:
    if not arguments:
        return {}
    text = given_bytes("--arguments", "-") if arguments == "-" else arguments
    values = parsed_json("--arguments", text, "Pass one JSON object")
    if not isinstance(values, dict):
        raise InvalidArgument("--arguments", "not a JSON object", 'Pass one such as {"task": "..."}')
    return values


def _parsed(name: str, text: str) -> Any:
    return parsed_json(f"--{name}".replace("_", "-"), text, "Pass JSON, in quotes")


def _singular(name: str) -> str:
    return name.removesuffix("es") if name.endswith("ses") else name.removesuffix("s")


def _is_nested(annotation: Any) -> bool:
    """Tell whether a value is a record or a mapping, which the command line takes as JSON."""
    base, _ = _base(annotation)
    return get_origin(base) is dict or (isinstance(base, type) and issubclass(base, (BaseModel, dict)))


def _parameter(parameter: inspect.Parameter) -> click.Parameter:
    base, many = _base(parameter.annotation)
    nested = _is_nested(parameter.annotation)
    if parameter.default is parameter.empty:
        return click.Argument(
            [parameter.name],
            required=False,
            type=_type(base),
            metavar=parameter.name.upper(),
            shell_complete=of_argument(parameter.name),
        )
    help_text = description(parameter)
    if nested:
        return click.Option(
            [f"--{parameter.name}".replace("_", "-"), parameter.name],
            metavar="JSON",
            default=None,
            help=help_text,
        )
    if parameter.default not in ("", (), False, -1):
        help_text = f"{help_text} [default: {parameter.default}]".strip()
    name = f"--{_singular(parameter.name) if many else parameter.name}".replace("_", "-")
    return _Option(
        [*_SHORTER.get(name, ()), name, parameter.name],
        type=_type(base),
        multiple=many,
        default=None,
        help=help_text + (" (repeatable)" if many else ""),
        shell_complete=of_argument(parameter.name),
    )


class _Option(click.Option):
    """An option of which help shows the first spelling only."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the line of help."""
        shown = copy(self)
        shown.opts = self.opts[:1]
        return click.Option.get_help_record(shown, ctx)


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
        return Choice(choices)
    return base if base in (int, float, bool) else str


def _choices(base: Any) -> list[str]:
    if get_origin(base) is Literal:
        return [choice for choice in get_args(base) if choice]
    return [choice for part in get_args(base) for choice in _choices(part)]


def _group(name: str, help_text: str, *commands: click.Command) -> click.Group:
    return Group(name, commands=list(commands), help=help_text)


def _experiments(page: ExperimentsPage) -> Iterator[str]:
    if not page.experiments:
        yield page.note or "No experiment yet. Create one: vettle experiment create --help"
        return
    yield f"experiments  {counts({str(state): number for state, number in page.by_state.items()})}"
    headings = ["experiment", "state", "runs", "variants", "outcome", "leader", "context", "created"]
    rows = [
        [
            one.id,
            one.state,
            str(one.runs),
            str(one.variants),
            one.outcome.replace("_", " "),
            one.leader or "-",
            one.context,
            f"{one.created:%Y-%m-%d}",
        ]
        for one in page.experiments
    ]
    yield from table(headings, rows, spare=("created", "context", "variants"))
    if page.next_cursor:
        yield f"More: --cursor {page.next_cursor}"


def _results(answer: ExperimentResults) -> Iterator[str]:
    # Imported here because the other commands draw nothing.
    from vettle.renderers.report.plain import experiments

    yield from drawn(lambda page: experiments.results(page, answer))


session = _group(
    "session",
    "Example: vettle session start 'fix the login test' --context bug-fix\n\nStart or end a session.",
    command(
        find(tools.session_start),
        "start",
        "vettle session start 'fix the login test' --context bug-fix",
    ),
    command(
        find(tools.session_end),
        "end",
        "vettle session end --session s-1f2e3d4c5b6a --outcome accepted",
    ),
)
mistake = command(
    find(tools.mistake_log),
    "mistake",
    "vettle mistake missing-import 'NameError: re' --correction 'import re'",
)
rule = _group(
    "rule",
    "Example: vettle rule add 'Run the type checker before committing.'\n\nAdd a rule, or decide about one.",
    command(
        find(tools.rule_add),
        "add",
        "vettle rule add 'Run the type checker.' --glob '**/*.py' --source human",
    ),
    command(
        find(tools.rule_decide),
        "decide",
        "vettle rule decide run-the-type-checker-1a2b3c pin 'team decision'",
    ),
)
experiment = _group(
    "experiment",
    "Example: vettle experiment results prompt-wording\n\nAsk which variant is better, and get the verdict.",
    command(
        find(experiment_tools.experiment_create),
        "create",
        'vettle experiment create wording --variants \'[{"name": "short"}, {"name": "long"}]\' '
        '--metric \'{"name": "passed", "direction": "higher", "kind": "binary"}\'',
    ),
    command(
        find(experiment_tools.variant_select), "select", "vettle experiment select wording --unit task-7"
    ),
    command(
        find(experiment_tools.run_record),
        "record",
        'vettle experiment record wording \'[{"assignment_id": "task-7", "metrics": {"passed": 1}}]\'',
    ),
    command(
        find(experiment_tools.experiment_results), "results", "vettle experiment results wording", _results
    ),
    command(
        find(experiment_tools.experiment_decide), "decide", "vettle experiment decide wording close 'enough'"
    ),
    command(find(experimenting.judge_calibrate), "calibrate", "vettle experiment calibrate wording"),
)
experiments = command(
    find(experimenting.experiments_list), "experiments", "vettle experiments --state running", _experiments
)
choose = command(
    find(experimenting.choose),
    "choose",
    'vettle choose \'[{"id": "a", "score": 1}, {"id": "b", "score": 5}]\'',
)
space = command(
    find(experimenting.space_sample),
    "space",
    'vettle space --n 3 \'{"model": ["a", "b"], "temperature": [0, 0.5, 1]}\'',
)
variable = command(
    find(experimenting.variable_register), "variable", "vettle variable 'system prompt' --alias prompt"
)
