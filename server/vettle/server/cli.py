"""The command line: `vettle`, and `python -m vettle`.

Commands are imported when they are run, so that `vettle --help` costs little more than Python itself.
Data goes to stdout, everything said about it to stderr. Exit codes: 0 fine, 1 found a problem, 2 wrong
usage, 3 damaged or refused, 4 edited by hand, 70 an error of ours.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import NamedTuple

import click

from vettle.engine.errors import VettleError

INTERNAL_ERROR = 70


class _Lazy(NamedTuple):
    """Where a command is, and the line that stands for it in the list of commands."""

    module: str
    name: str
    short_help: str


_COMMANDS = {
    "demo": _Lazy("demonstration", "demo", "The whole loop on real rule files, in a temporary project."),
    "init": _Lazy("initialising", "init", "Make this a vettle project, and import the rules it already has."),
    "serve": _Lazy("serving", "serve", "Run the MCP server on stdin and stdout (agents start this)."),
    "status": _Lazy("reading", "status", "What is going on, what needs a person, and the next step."),
    "rules": _Lazy("reading", "rules", "Every rule with its effect, evidence and verdict."),
    "explain": _Lazy("reading", "explain", "Why a rule stands where it stands, or a session got its rules."),
    "sessions": _Lazy("reading", "sessions", "Sessions of the last days and how they scored."),
    "mistakes": _Lazy("reading", "mistakes", "Mistakes by class, and those that keep coming back."),
    "events": _Lazy("querying", "events", "What was recorded, event by event, or any table by SQL."),
    "failures": _Lazy("analysis", "failures", "How runs failed, over all experiments."),
    "costs": _Lazy("analysis", "costs", "Tokens, money and time, and what was wasted."),
    "evidence": _Lazy("analysis", "evidence", "What is known by now, to propose what to try next."),
    "analyse": _Lazy("analysing", "analyse", "Sums over long histories, in ClickHouse if you like."),
    "rewards": _Lazy("reading", "rewards", "Feedback by outcome and by source."),
    "render": _Lazy("rule_files", "render", "Bring the assistants' rule files up to date."),
    "learn": _Lazy("learning", "learn", "Find candidate rules in reviews, journals and starter packs."),
    "import": _Lazy("rule_files", "import_", "Import the rules that the repository's files already hold."),
    "export": _Lazy("exporting", "export", "Take the best configuration out of the project."),
    "session": _Lazy("operations", "session", "Start or end a session."),
    "mistake": _Lazy("operations", "mistake", "Log a mistake."),
    "reward": _Lazy("operations", "reward", "Log feedback on a session."),
    "experiment": _Lazy("operations", "experiment", "Create an experiment, use it, and get its verdict."),
    "experiments": _Lazy("operations", "experiments", "Every experiment and where it stands."),
    "collect": _Lazy("collecting", "collect", "Record results of CI, of a table, or of another system."),
    "models": _Lazy(
        "ranking", "models", "Which model is best for which kind of work, and what to fall back on."
    ),
    "choose": _Lazy("operations", "choose", "Choose one of given options by a named policy."),
    "space": _Lazy("operations", "space", "Draw configurations from a parameter space."),
    "variable": _Lazy("operations", "variable", "Register what experiments change."),
    "propose": _Lazy("proposing", "propose", "What to try next, from the evidence or from a model."),
    "rule": _Lazy("operations", "rule", "Add a rule, or decide about one."),
    "db": _Lazy("database", "db", "Copy the database, and look after it."),
}


class _LazyGroup(click.Group):
    """A group whose commands are imported only when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order of the table."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; for a name that is none, say which was probably meant."""
        lazy = _COMMANDS.get(cmd_name)
        if lazy is None:
            # click suggests commands it has loaded, and here none is. Imported here: help has no use for it.
            import difflib

            near = difflib.get_close_matches(cmd_name, _COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"No such command {cmd_name!r}.{hint}", ctx)
        module = import_module(f"vettle.server.commands.{lazy.module}")
        command: click.Command = getattr(module, lazy.name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.short_help) for name, lazy in _COMMANDS.items()])


@click.command(
    cls=_LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Example: vettle demo. Every reading command takes --json. vettle COMMAND --help shows an example first.",
)
@click.option(
    "--project", metavar="DIR", default="", help="The project's root (default: found from here upwards)."
)
@click.version_option(package_name="vettle")
@click.pass_context
def cli(context: click.Context, project: str) -> None:
    """Rules earn their place: test which instructions make coding agents better, and render the proven ones."""
    context.obj = project
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main() -> None:
    """Run the command line and exit with its code; no failure ever shows a traceback."""
    try:
        code = cli.main(prog_name="vettle", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "vettle"
        click.echo(f"vettle: {error.format_message()} See: {where} --help", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        click.echo(f"vettle: {error.format_message()}", err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except VettleError as error:
        click.echo(f"vettle: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not complain about it at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if os.environ.get("VETTLE_DEBUG"):
            raise
        click.echo(
            f"vettle: internal error: {type(error).__name__}: {error}. Set VETTLE_DEBUG=1 for the traceback.",
            err=True,
        )
        sys.exit(INTERNAL_ERROR)
