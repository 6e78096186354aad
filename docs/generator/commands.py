"""The command reference: every command and option of the real command line, and what its exit codes mean."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from docs.generator.wording import cell
from vettle.engine import errors
from vettle.engine.errors import VettleError
from vettle.server.cli import _COMMANDS, INTERNAL_ERROR, cli

_TOP = """\
# The commands

Every command with an example, its arguments and its options. `vettle COMMAND --help` says the same.

This page is written by `python -m docs` from the command line itself and compared by a test, which also runs every
example. `vettle --project DIR COMMAND` works on the project in DIR; without it, the project is found
([how](settings.md#which-project)). Data goes to stdout, everything said about it to stderr.
"""

_CODES = {
    0: 'fine; also for "too early to tell", which is an answer',
    1: "the command worked and found a problem, such as stale rule files; or it could not be done now",
    2: "wrong usage: an option, a value or a setting that nobody accepts, or no project",
    3: "a file or a database is damaged, or is refused because it may not be ours",
    4: "somebody edited a rule file by hand inside vettle's text",
    INTERNAL_ERROR: "an error of ours: please report it; `VETTLE_DEBUG=1` shows the traceback",
    130: "interrupted (Ctrl-C)",
}


def page() -> str:
    """Return the whole page."""
    found = list(commands())
    rows = [f"| [`{path}`](#{_anchor(path)}) | {cell(_short(path, command))} |" for path, command in found]
    parts = [
        _TOP,
        "| command | what it does |\n|---|---|",
        *rows,
        "",
        _exit_codes(),
        *("\n".join(_command(path, command)) for path, command in found),
    ]
    return "\n".join(parts).rstrip() + "\n"


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield every command that can be run, with its whole name, in the order of help."""
    yield from _inside("vettle", cli)


def _inside(path: str, group: click.Group) -> Iterator[tuple[str, click.Command]]:
    with click.Context(group, info_name=path) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            if command.hidden:
                continue
            if isinstance(command, click.Group) and not command.invoke_without_command:
                yield from _inside(f"{path} {name}", command)
            else:
                yield f"{path} {name}", command
                if isinstance(command, click.Group):
                    yield from _inside(f"{path} {name}", command)


def example(command: click.Command) -> str:
    """Return the command line that a command's help begins with, or ""."""
    first = inspect.cleandoc(command.help or "").split("\n\n")[0].replace("\n", " ")
    return first.removeprefix("Example: ").rstrip(".") if first.startswith("Example: ") else ""


def _paragraphs(command: click.Command) -> list[str]:
    """Return what help says after the example."""
    text = inspect.cleandoc(command.help or "").replace("\b", "").split("\n\n")
    return text[1:] if example(command) else text


def _short(path: str, command: click.Command) -> str:
    listed = _COMMANDS.get(path.removeprefix("vettle "))
    return (listed.short_help if listed else command.short_help) or " ".join(
        _paragraphs(command)[0].split()
    ).split(". ")[0].rstrip(".") + "."


def _anchor(path: str) -> str:
    return path.replace(" ", "-")


def _command(path: str, command: click.Command) -> Iterator[str]:
    yield f"## {path}\n"
    shown = example(command)
    yield "\n\n".join(" ".join(part.split()) for part in _paragraphs(command)) + "\n"
    if shown:
        yield f"```sh\n{shown}\n```\n"
    yield from _parameters(command)


def _parameters(command: click.Command) -> Iterator[str]:
    with click.Context(command) as context:
        rows = [_row(parameter, context) for parameter in command.get_params(context)]
    rows = [row for row in rows if row and "`--help`" not in row]
    if rows:
        yield "| argument or option | value | meaning |\n|---|---|---|"
        yield from rows
        yield ""


def _row(parameter: click.Parameter, context: click.Context) -> str:
    if isinstance(parameter, click.Argument):
        many = " ..." if parameter.nargs == -1 else ""
        return f"| `{parameter.make_metavar(context).strip('[].')}`{many} | {_value(parameter, context)} |  |"
    assert isinstance(parameter, click.Option)
    if parameter.hidden:
        return ""
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    value = "" if parameter.is_flag else _value(parameter, context)
    return f"| {names} | {value} | {cell(_help(parameter, context))} |"


def _help(option: click.Option, context: click.Context) -> str:
    text = option.help or ""
    default = option.get_default(context)
    if option.show_default and "[default:" not in text and isinstance(default, (str, int, float)):
        text += f" [default: {default}]"
    return text.strip()


def _value(parameter: click.Parameter, context: click.Context) -> str:
    if isinstance(parameter.type, click.Choice):
        return cell(" or ".join(f"`{choice}`" for choice in parameter.type.choices))
    if isinstance(parameter, click.Option) and parameter.metavar:
        return cell(parameter.metavar)
    name = parameter.type.name.removesuffix(" range")
    return {"integer": "whole number", "float": "number", "boolean": "true or false"}.get(name, "text")


def _exit_codes() -> str:
    rows = [f"| {code} | {meaning} | {', '.join(_raised(code))} |" for code, meaning in _CODES.items()]
    return "\n".join(["## Exit codes\n", "| code | meaning | errors |\n|---|---|---|", *rows, ""])


def _raised(code: int) -> list[str]:
    """Name the errors that end in this code."""
    every = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, VettleError)]
    return [f"`{each.__name__}`" for each in every if each.exit_code == code and each is not VettleError]
