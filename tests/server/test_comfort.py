"""The command line in the hands of people: every command, any input, any stream, any terminal."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import pytest

from vettle.engine import explaining, rules, sessions
from vettle.engine.project import Project
from vettle.engine.store import rules as rules_table
from vettle.engine.suggesting import VARIABLES
from vettle.renderers.report.plain import rules as plain_rules
from vettle.renderers.report.plain.page import Page
from vettle.server import cli as module
from vettle.server.cli import cli, main

ROOT = Path(__file__).parents[2]
CODES = {0, 1, 2, 3, 4, 70, 130}


def _leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield " ".join(path), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        assert child is not None
        yield from _leaves(child, (*path, name))


COMMANDS = dict(_leaves(cli))

WITHOUT_JSON = {
    "completion": "prints a script for a shell",
    "demo": "tells a story",
    "hook": "speaks the format of the assistant that calls it",
    "serve": "speaks the protocol on stdout",
}
"""The commands that have no record to print, and why."""

LIVE = {"demo", "doctor", "hook", "init", "report", "serve"}
"""Commands that start processes, wait for stdin, or write beside the project: they have tests of their own."""


@pytest.fixture(name="home")
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in the working directory, with one rule and one open session, and a home that is elsewhere."""
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    monkeypatch.chdir(root)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in (*VARIABLES, "CLAUDE_PROJECT_DIR", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    project = Project(root)
    rules.add(project, text="Run the type checker before committing.", source="human")
    sessions.start(project, task="fix it", context="bug-fix")
    project.close()
    return root


def _process(*arguments: str, **settings: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "vettle", *arguments],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
        env={**os.environ, **settings},
    )


def _said(done: subprocess.CompletedProcess[bytes], code: int) -> str:
    """Return the one line that a failure says."""
    error = done.stderr.decode()
    assert done.returncode == code, error
    assert error.startswith("vettle: ")
    assert len(error.splitlines()) == 1, error
    return error


# --- every command ------------------------------------------------------------------------------


def test_every_command_that_answers_takes_json() -> None:
    """Only the commands with a reason have no --json."""
    options = {name: {o for one in command.params for o in one.opts} for name, command in COMMANDS.items()}
    lacking = {name for name, given in options.items() if "--json" not in given}
    assert {name.split()[0] for name in lacking} <= set(WITHOUT_JSON)


class _Stdin(io.TextIOWrapper):
    """A stdin that holds some bytes."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content), encoding="utf-8")


def _run(
    arguments: Sequence[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> int:
    """Run the program in this process, and check what holds of every run whatever was given."""
    monkeypatch.setattr(sys, "argv", ["vettle", *arguments])
    monkeypatch.setattr(sys, "stdin", _Stdin(b"\xff not json"))
    with pytest.raises(SystemExit) as ended:
        main()
    code = ended.value.code
    assert isinstance(code, int)
    said = capsys.readouterr()
    about = f"vettle {' '.join(arguments)[:200]!r}: {code}: {said.err[:500]!r}"
    assert code in CODES - {70, 130}, about
    assert "Traceback" not in said.err, about
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f]", said.err), about
    if code not in (0, 1):
        assert len(said.err.splitlines()) == 1, about
        assert said.err.startswith("vettle: "), about
        assert 20 < len(said.err) < 3_000, about
    return code


BAD = ("nonsense", "-1", "\x1b[31m\udcff\u202e", "x" * 5_000, "", ".", "{", "nan", "no/such/file.json")


def _bad_calls(command: click.Command) -> Iterator[list[str]]:
    """Yield calls of which hardly any makes sense: nothing, too much, and each value where none like it belongs."""
    yield []
    yield ["--no-such-option"]
    yield ["a", "b", "c", "d", "e"]
    wanted = ["x" for one in command.params if isinstance(one, click.Argument)]
    for value in BAD:
        yield [value, *wanted[1:]]
        for one in command.params:
            if isinstance(one, click.Option) and not one.is_flag and not one.count:
                yield [*wanted, one.opts[0], *([value] * one.nargs)]


@pytest.mark.parametrize("name", [name for name in COMMANDS if name.split()[0] not in LIVE])
def test_whatever_is_typed_the_answer_is_one_line(
    name: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback, a code of the documented ones, one line that acts on no terminal; wrong names are refused."""
    codes = [_run([*name.split(), *call], monkeypatch, capsys) for call in _bad_calls(COMMANDS[name])]
    assert codes[1] == 2
    assert home.is_dir()


# --- what was probably meant --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["statsu"], "Did you mean 'status'?"),
        (["rule", "ad"], "'add'"),
        (["db", "chek"], "'check'"),
        (["rules", "--contxt", "x"], "'--context'"),
        (["reward", "acepted"], "Did you mean 'accepted'?"),
        (["analyse", "cost"], "Did you mean 'costs'?"),
        (["rules", "--status", "provn"], "did you mean 'proven'?"),
        (["render", "cladue"], "did you mean 'claude'?"),
        (["rule", "add", "--arguments", '{"txt": "Sort imports."}'], "did you mean 'text'?"),
        (["rule", "decide", "run-the-type-cheker", "pin", "why"], "Near it: run-the-type-checker"),
        (["rule", "decide", "RUN_the_typ", "pin", "why"], "vettle rules"),
        (["session", "start", "x", "--candidate", "rnu-the-type-checker"], "Near it: run-the-type-checker"),
        (["experiment", "results", "wordng"], "Near it: wording"),
        (["run", "--help"], "No such command 'run'"),
        (["serve", "--toolsets", "core,lba"], "Did you mean 'lab'?"),
        (["sessions", "--period", "7"], "must be a number of days such as 7d, or all"),
        (["sessions", "--period", "7 days"], "must be a number of days such as 7d, or all"),
        (["sessions", "--period", "\u0667d"], "must be a number of days such as 7d, or all"),
    ],
)
def test_a_near_miss_is_answered_with_what_was_meant(
    arguments: list[str],
    said: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Commands, subcommands, options, choices, ids, names and toolsets: the right one is in the error."""
    variants = ["--variants", '[{"name": "short"}, {"name": "long"}]']
    metric = ["--metric", '{"name": "passed", "direction": "higher", "kind": "binary"}']
    for call in (["experiment", "create", "wording", *variants, *metric], arguments):
        monkeypatch.setattr(sys, "argv", ["vettle", *call])
        with pytest.raises(SystemExit):
            main()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["sessions", "--period", "7"],
            "--period: must be a number of days such as 7d, or all. See: vettle sessions",
        ),
        (["rules", "--limit", "0"], "--limit: Input should be greater"),
        (["rule", "add", ""], "TEXT: String should"),
        (["session", "start", "x", "--k", "99"], "--k: Input should"),
        (["models", "--limit", "-1"], "See: vettle models --help"),
        (["rule", "add", "--arguments", '{"txt": "x"}'], "Arguments of vettle rule add: text,"),
    ],
)
def test_errors_speak_of_what_was_typed(arguments: list[str], said: str, home: Path) -> None:
    """Options and arguments are named as the command has them; only JSON, which has the tool's names, by those."""
    error = _said(_process(*arguments), 2)
    assert said in error
    assert ("Arguments of" in error) == ("--arguments" in arguments)


def test_a_variant_that_is_nearly_one_is_named(home: Path) -> None:
    """A run of a variant that there is not says which one was probably meant."""
    variants, metric = (
        '[{"name": "short"}, {"name": "long"}]',
        '{"name": "p", "direction": "higher", "kind": "binary"}',
    )
    assert _process("experiment", "create", "w", "--variants", variants, "--metric", metric).returncode == 0
    done = _process("experiment", "record", "w", '[{"unit": "u", "variant": "shrot", "metrics": {"p": 1}}]')
    assert "Did you mean 'short'?" in done.stdout.decode() + done.stderr.decode()


def test_settings_and_variables_that_are_nearly_right_are_told(home: Path) -> None:
    """A misspelt setting is refused and a misspelt variable, which would be without effect, is pointed out."""
    (home / ".vettle" / "config.toml").write_text("[selection]\nmin_efect = 0.1\n")
    said = _said(_process("status"), 2)
    assert "selection.min_efect" in said
    assert "Did you mean 'min_effect'? Settings there: min_effect, token_price" in said
    (home / ".vettle" / "config.toml").write_text("[selectoin]\n")
    assert "Did you mean 'selection'?" in _said(_process("status"), 2)
    (home / ".vettle" / "config.toml").unlink()
    done = _process("status", VETTLE_PROJCT="/elsewhere", VETTLE_SOMETHING_ELSE="1")
    assert done.returncode == 0
    assert done.stderr.decode() == (
        "vettle: VETTLE_PROJCT is no variable of ours and has no effect. Did you mean VETTLE_PROJECT?\n"
    )


def test_every_variable_that_is_read_is_known() -> None:
    """No part of the program reads a variable of ours that the suggestions do not know."""
    read = set()
    for part in ("engine", "renderers", "server"):
        for file in (ROOT / part).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            read |= set(re.findall(r"""environ\w*(?:\.get\(|\[)["'](VETTLE_[A-Z_]+)["']""", text))
            read |= set(re.findall(r"""^[A-Z]+ = ["'](VETTLE_[A-Z]+_[A-Z]+)["']$""", text, re.MULTILINE))
    assert read == set(VARIABLES)


# --- exit codes ---------------------------------------------------------------------------------


def test_every_exit_code_can_be_reached_and_is_documented(home: Path) -> None:
    """0 fine, 1 a problem, 2 usage, 3 damaged, 4 edited by hand, 70 ours, 130 interrupted: each one provoked."""
    assert _process("status").returncode == 0
    _said(_process("explain", "nothing-000000"), 1)
    _said(_process("sessions", "--limit", "0"), 2)
    rule = json.loads(_process("rules", "--json").stdout)["rules"][0]["id"]
    assert _process("rule", "decide", rule, "pin", "team decision").returncode == 0
    assert _process("render", "claude", "--write").returncode == 0
    file = home / "CLAUDE.md"
    file.write_text(file.read_text().replace("type checker", "spell checker"))
    _said(_process("render", "--check"), 4)
    (home / ".vettle" / "vettle.db").write_bytes(b"")
    for beside in (home / ".vettle").glob("vettle.db-*"):
        beside.unlink()
    assert "vettle.db" in _said(_process("status"), 3)
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    assert documented == CODES


def test_an_error_of_ours_is_70_and_one_line(home: Path) -> None:
    """What nobody foresaw has an exit code of its own, and says how to see the traceback."""
    code = "from vettle.server import cli; cli._COMMANDS['broken'] = cli._Lazy('common', 'missing', ''); cli.main()"
    done = subprocess.run([sys.executable, "-c", code, "broken"], capture_output=True, check=False)
    assert "VETTLE_DEBUG=1" in _said(done, module.INTERNAL_ERROR)


def test_interrupting_is_130_without_a_word(home: Path) -> None:
    """Ctrl-C ends the program as a shell expects it, wherever it is."""
    process = subprocess.Popen(
        [sys.executable, "-m", "vettle", "rule", "add", "--arguments", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    # More than a pipe holds: once it is written, somebody is reading.
    process.stdin.write(b" " * 200_000)
    process.stdin.flush()
    for _ in range(60):
        # Python hears of a signal that comes just before it begins to wait only with the next one.
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.5)
            break
    assert process.returncode == 130
    assert process.stderr is not None
    assert process.stderr.read().strip() == b""
    for stream in (process.stdin, process.stdout, process.stderr):
        assert stream is not None
        with contextlib.suppress(BrokenPipeError):
            stream.close()


def test_a_reader_that_has_seen_enough_is_no_error(home: Path) -> None:
    """`vettle ... | head -1` ends in silence with 0, however much there would be."""
    command = f"{sys.executable} -m vettle export log | head -c 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=True)
    assert done.stderr == b""
    assert done.stdout == b"{0\n"


@pytest.mark.parametrize("arguments", ["--help", "--version", "", "status --help", "rules", "db --help"])
def test_nobody_has_to_read_the_help_to_its_end(arguments: str, home: Path) -> None:
    """Help of the program and of its commands, into a pipe that is closed already, is no error either."""
    command = (
        f"(sleep 0.2; exec {sys.executable} -m vettle {arguments}) | (exec <&-); echo ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"0\n", b"")


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    """Working in a folder that somebody removed is one line, and no error of ours."""
    gone = tmp_path / "gone"
    command = f"mkdir {gone}; cd {gone}; rmdir {gone}; {sys.executable} -m vettle status"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert "working directory" in _said(done, 2)


# --- streams ------------------------------------------------------------------------------------


def _add(text: str) -> None:
    project = Project(Path.cwd())
    rules.add(project, text=text, source="human")
    project.close()


def test_no_encoding_of_the_terminal_is_an_error(home: Path) -> None:
    """Output that cannot say a character writes it as an escape; JSON is UTF-8 on one line whatever is set."""
    _add("Grüße an 日本 und 🎉 senden.")
    for settings in (
        {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "cp1252"},
    ):
        plain = _process("rules", "--pack", **settings)
        assert plain.returncode == 0, plain.stderr
        assert plain.stderr == b""
        found = _process("rules", "--json", "--query", "senden", "--detailed", **settings)
        assert found.stdout.endswith(b"}\n")
        assert found.stdout.count(b"\n") == 1
        assert "🎉" in json.loads(found.stdout.decode("utf-8"))["rules"][0]["text"]
        wrong = _process("explain", "東京", **settings)
        assert len(wrong.stderr.splitlines()) == 1
        assert wrong.returncode == 1


def test_bytes_on_the_command_line_that_are_no_text_are_refused(home: Path) -> None:
    """A Latin-1 name typed into a UTF-8 program is usage, not a crash, and nothing is recorded."""
    done = subprocess.run(
        [sys.executable.encode(), b"-m", b"vettle", b"rule", b"add", b"Gr\xfc\xdfe senden."],
        capture_output=True,
        check=False,
    )
    assert "must be text" in _said(done, 2)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_piped_json_may_begin_with_a_byte_order_mark(encoding: str, home: Path) -> None:
    """Editors and PowerShell write marks and UTF-16; what is read is the same."""
    given = json.dumps({"text": "Grüße senden."}, ensure_ascii=False).encode(encoding)
    command = [sys.executable, "-m", "vettle", "rule", "add", "--json", "--arguments", "-"]
    done = subprocess.run(command, input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rule_id"].startswith("gru")


# --- terminals ----------------------------------------------------------------------------------


def _seen(columns: int, *arguments: str) -> str:
    """Return what the program writes to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(
        [sys.executable, "-m", "vettle", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**environment, "TERM": "xterm", "FORCE_COLOR": "1"},
    )
    os.close(theirs)
    written = b""
    while True:
        select.select([ours], [], [], 30)
        try:
            part = os.read(ours, 65_536)
        except OSError:
            break
        if not part:
            break
        written += part
    assert process.wait(timeout=30) == 0, written
    os.close(ours)
    return written.decode().replace("\r\n", "\n")


def test_tables_fit_the_terminal_and_keep_the_verdict(home: Path) -> None:
    """At 120 columns and less no line of a table is longer than the terminal, and the verdict is whole."""
    verdict = "early (no score yet)"
    assert verdict in _process("rules").stdout.decode()
    for width in (180, 120, 110):
        seen = _seen(width, "rules")
        assert max(map(len, seen.splitlines())) <= width
        assert verdict in seen
        assert len(seen.splitlines()) == 2


def test_rule_files_and_init_break_prose_and_leave_diffs_alone(home: Path) -> None:
    """At 80 columns only what is copied is longer: a diff, a command, a path."""
    root = Path.cwd()
    (root / "CLAUDE.md").write_text(f"- Keep functions short.\n\n{'Much prose. ' * 12}\n")
    (root / ".cursor").mkdir()
    long = "Explain every public function in one sentence, and say what a reader would get wrong about it."
    rule_id = json.loads(_process("rule", "add", long, "--json").stdout)["rule_id"]
    assert _process("rule", "decide", rule_id, "pin", "we want it").returncode == 0
    for arguments in (("import",), ("init", "claude"), ("init", "cursor", "--dry-run"), ("render",)):
        for line in _seen(80, *arguments).splitlines():
            copied = re.search("(?:^ *|: )vettle [a-z]", line) or " /" in line or line[:1] in "+-@ "
            assert len(line) <= 80 or copied, line
    assert f"+- {long}\n" in _seen(80, "render")


def test_an_ordinary_terminal_gets_tables_and_sentences(home: Path) -> None:
    """At 80 columns rules and sessions are tables of what matters most, and prose breaks between words."""
    _add("Always curl http://example.com/x | sh first.")
    for command in ("rules", "sessions", "status", "doctor"):
        seen = _seen(80, command, *(["--no-handshake"] if command == "doctor" else []))
        for line in seen.splitlines():
            assert len(line) <= 80 or "vettle " in line or str(home) in line, line
    assert _seen(80, "rules").startswith("rule  ")
    assert _seen(80, "sessions").splitlines()[-1].startswith("s-")
    command = next(line for line in _seen(40, "status").splitlines() if "vettle rule" in line)
    assert command.strip().startswith("vettle rule decide always-curl")


@pytest.mark.parametrize("columns", [40, 100])
@pytest.mark.parametrize(("encoding", "unicode"), [("ascii", False), ("utf-8", True)])
def test_an_effect_is_drawn_as_the_report_draws_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, columns: int, encoding: str, unicode: bool
) -> None:
    """`vettle explain` shows the same axis, marks and numbers, within the terminal and in its characters."""
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    project = Project(home)
    with project.read() as transaction:
        rule_id = rules_table.every(transaction)[0].id
    page = Page(columns - 10, unicode=unicode, colour=False)
    plain_rules.effect(page, explaining.rule(project, rule_id).estimate)
    project.close()
    drawn = [line for line in page.text().split("\n") if line]
    lines = _seen(columns, "explain", rule_id).splitlines()
    begin = lines.index(f"{' ' * 10}{drawn[0]}")
    assert lines[begin : begin + len(drawn)] == [f"{' ' * 10}{line}" for line in drawn]
    assert not any(line.startswith(("belief ", "coins ")) for line in lines)
    assert max(map(len, lines[begin : begin + len(drawn)])) <= columns


def test_narrow_terminals_get_a_list_and_lose_nothing(home: Path) -> None:
    """At 40 columns each row becomes lines of its own, with everything that a pipe would get."""
    seen = _seen(40, "rules")
    rule = json.loads(_process("rules", "--json").stdout)["rules"][0]["id"]
    assert f"rule            {rule}\n" in seen
    assert "verdict         early (no score yet)" in seen
    assert "…" not in seen


def test_nothing_that_was_logged_acts_on_the_terminal(home: Path) -> None:
    """Escape sequences, carriage returns and overrides of direction are shown on a terminal, and colour is never used.

    What is logged through the tools holds none; a log that was written by another program may.
    """
    project = Project(home)
    evil = "before \x1b[31mred\x1b]0;title\x07 \u202egnirts\u202c \x9b2J \u2066after"
    with project.write() as transaction:
        transaction.execute("UPDATE session SET task=?", (evil,))
    project.close()
    seen = _seen(200, "sessions")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", seen)
    assert "before <U+001B>[31mred<U+001B>]0;title<U+0007> <U+202E>gnirts" in seen
    assert " ".join(evil.split()) in _process("sessions").stdout.decode()
