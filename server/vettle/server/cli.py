"""The command line: `vettle`, and `python -m vettle`.

Commands are imported when they are run, so that `vettle --help` costs little more than Python itself.
Data goes to stdout, everything said about it to stderr. Exit codes: 0 fine, 1 found a problem, 2 wrong
usage, 3 damaged or refused, 4 edited by hand, 70 an error of ours, 130 interrupted.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from vettle.engine.errors import VettleError
from vettle.engine.suggesting import hint, misspelt_variables

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

INTERNAL_ERROR = 70
INTERRUPTED = 130
REFUSED = 3
USAGE = 2

_COMPLETING = "_VETTLE_COMPLETE"
"""The variable by which a shell asks for candidates, as `commands.completing` has it; it is looked at by every run."""

_LONGEST_WORD = 500  # characters of what an error quotes: a path fits, a file that was pasted does not

_SILENT = ("hook",)
"""Commands whose stderr a person does not read, and an assistant may."""


class _Lazy(NamedTuple):
    """Where a command is, and the line that stands for it in the list of commands."""

    module: str
    name: str
    short_help: str


_COMMANDS = {
    "demo": _Lazy("demonstration", "demo", "The whole loop on real rule files, in a temporary project."),
    "init": _Lazy("initialising", "init", "Connect your clients, and import the rules a repository has."),
    "serve": _Lazy("serving", "serve", "Run the MCP server on stdin and stdout (agents start this)."),
    "status": _Lazy("status", "status", "What is going on, what needs a person, and the next step."),
    "rules": _Lazy("reading", "rules", "Every rule with its effect, evidence and verdict."),
    "report": _Lazy(
        "reporting", "report", "One HTML file with everything: proof, mistakes, experiments, costs."
    ),
    "explain": _Lazy(
        "explaining", "explain", "Why a rule stands where it stands, or a session got its rules."
    ),
    "doctor": _Lazy("diagnosing", "doctor", "What is wrong, with the fix beside each finding."),
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
    "reward": _Lazy("rewarding", "reward", "Log feedback on a session."),
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
    "hook": _Lazy("hooking", "hook", "What assistants' own hooks call, and how to install them."),
    "completion": _Lazy("completing", "completion", "Print the script that makes the shell complete."),
    "db": _Lazy("database", "db", "Copy the database, and look after it."),
}


class _ReaderGone(Exception):
    """Raised when nobody reads our output any more, in place of the error that click ends the program for."""


class _LazyGroup(click.Group):
    """A group whose commands are imported only when they are needed."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read what was typed; help and the version are printed here."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except BrokenPipeError:
            raise _ReaderGone from None

    def invoke(self, ctx: click.Context) -> object:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise _ReaderGone from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order of the table."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; for a name that is none, say which was probably meant."""
        lazy = _COMMANDS.get(cmd_name)
        if lazy is None:
            # click suggests commands it has loaded, and here none is.
            raise click.UsageError(f"No such command {cmd_name!r}. {hint(cmd_name, _COMMANDS)}".rstrip(), ctx)
        module = import_module(f"vettle.server.commands.{lazy.module}")
        command: click.Command = getattr(module, lazy.name)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a command without importing any."""
        # Imported here, because only a shell asks.
        from click.shell_completion import CompletionItem

        names = [name for name in _COMMANDS if name.startswith(incomplete)]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(CompletionItem(name, help=_COMMANDS[name].short_help) for name in names), *options]

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
    if context.invoked_subcommand not in _SILENT:
        for wrong, right in misspelt_variables(os.environ).items():
            _complain(f"{wrong} is no variable of ours and has no effect. Did you mean {right}?")
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main() -> None:
    """Run the command line and exit with its code; no failure ever shows a traceback."""
    _write_anything()
    if _COMPLETING in os.environ:
        # Somebody waits for a key: there is no time to look for garbage, of which there is hardly any.
        gc.disable()
    try:
        if _COMPLETING in os.environ and _completed():
            return
        code = cli.main(prog_name="vettle", standalone_mode=False)
        sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "vettle"
        _complain(f"{_sentence(error.format_message())} See: {where} --help")
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _complain(error.format_message())
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except VettleError as error:
        # Imported here, because what goes well has no error to word.
        from vettle.server.commands.wording import for_people

        _complain(for_people(str(error)))
        sys.exit(error.exit_code)
    except (_ReaderGone, BrokenPipeError):
        # Whoever read our output has seen enough; Python must not complain about it at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if os.environ.get("VETTLE_DEBUG"):
            raise
        code, said = _unforeseen(error)
        _complain(said)
        sys.exit(code)


def _completed() -> bool:
    """Answer a shell that asks for names of the project, if that is what it asks for."""
    # Imported here, because only a shell asks.
    from vettle.server.commands.completing import at_once

    answer = at_once(cli)
    if answer is None:
        return False
    click.echo(answer.encode())
    return True


def _unforeseen(error: Exception) -> tuple[int, str]:
    """Return the exit code and the line for what no part of ours has put into words."""
    if isinstance(error, OSError):
        why = error.strerror or str(error)
        return REFUSED, f"{error.filename or 'A file'}: {why}. Mend that, or name another file."
    if isinstance(error, UnicodeEncodeError):
        return USAGE, "An argument holds bytes that are no UTF-8. Pass it as text."
    said = f"internal error: {type(error).__name__}: {error}. Set VETTLE_DEBUG=1 for the traceback."
    return INTERNAL_ERROR, said


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!", "?)")) else f"{text}."


def _write_anything() -> None:
    """Let no character end the program: what the encoding of a stream cannot say is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _complain(text: str) -> None:
    """Say what is wrong, on one line of stderr; what it quotes cannot act on the terminal."""
    if _COMPLETING in os.environ:
        return
    # Imported here, because help and hooks have nothing to complain about.
    from vettle.server.commands.layout import harmless

    words = (word if len(word) <= _LONGEST_WORD else f"{word[:_LONGEST_WORD]}..." for word in text.split())
    click.echo(f"vettle: {harmless(' '.join(words))}", err=True)
