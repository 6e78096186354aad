"""What goes to ClickHouse, what stays behind, and what is said when it cannot answer."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.clickhouse.conftest import Loopback
from tests.engine.experiments.world import create, record

from vettle.engine.analysis.analysing import analyse, clickhouse
from vettle.engine.clickhouse.embedded import Embedded
from vettle.engine.clickhouse.plan import Engine, Plan
from vettle.engine.clickhouse.server import Server
from vettle.engine.errors import ClickHouseUnavailable, ConfigurationInvalid
from vettle.engine.experiments.runs import RunInput
from vettle.engine.project import Project
from vettle.engine.store import Transaction

SECRET = "secret-of-the-environment"


def _some(project: Project) -> None:
    create(project)
    record(project, RunInput(unit="1", variant="a", metrics={"passed": 1}, cost=2.0))


def _plan(*rows: tuple[str, float], **questions: str) -> Plan:
    return Plan({"name": "String", "value": "Float64"}, lambda _: iter(rows), questions)


@pytest.fixture(name="reader")
def _reader(on_file: Project) -> Iterator[Transaction]:
    with on_file.read() as transaction:
        yield transaction


@pytest.fixture(name="temporary")
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, of its own so that nothing else is in it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def _program(folder: Path, text: str) -> str:
    """Make a program that stands where the interpreter would, to see how it is started."""
    file = folder / "program"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return str(file)


def test_the_child_gets_a_private_folder_and_none_of_our_environment(
    tmp_path: Path, temporary: Path, reader: Transaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sees the rows and its order; no key and no URL goes with it, nobody else can look, and nothing stays."""
    monkeypatch.setenv("VETTLE_DATABASE_URL", SECRET)
    report = tmp_path / "report"
    program = _program(tmp_path, f"{{ env; stat -c %a .; ls; cat rows.jsonl; cat; }} > {report}")
    with pytest.raises(ClickHouseUnavailable, match="without an answer"):
        Embedded(program).ask(reader, _plan(("one", 1.5), question="SELECT 1"))
    seen = report.read_text("utf-8")
    assert SECRET not in seen and "VETTLE" not in seen
    assert "\n700\nrows.jsonl\n" in seen and '["one",1.5]' in seen and '"question": "SELECT 1"' in seen
    names = {line.partition("=")[0] for line in seen.partition("\n700\n")[0].splitlines()}
    assert names - {"PWD", "_", "SHLVL"} == {"HOME", "TMPDIR", "TZ", "PATH"}
    assert not list(temporary.iterdir())


def test_a_child_that_takes_too_long_is_killed(tmp_path: Path, temporary: Path, reader: Transaction) -> None:
    """Its time is over, it is gone, and so are the rows."""
    program = _program(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60")
    began = time.monotonic()
    with pytest.raises(ClickHouseUnavailable, match=r"longer than 0\.5 seconds"):
        Embedded(program, seconds=0.5).ask(reader, _plan())
    assert time.monotonic() - began < 10
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert not list(temporary.iterdir())


def test_more_memory_than_allowed_is_refused(interpreter: str, temporary: Path, reader: Transaction) -> None:
    """A statement that needs more ends with a line that says so, and not with a machine that swaps."""
    plan = _plan(("a", 1.0), question="SELECT groupArray(number) FROM numbers(100000000)")
    with pytest.raises(ClickHouseUnavailable, match=r"more than 0\.05 GB"):
        Embedded(interpreter, memory=50_000_000).ask(reader, plan)
    assert not list(temporary.iterdir())


def test_a_refusal_does_not_repeat_the_rows(interpreter: str, reader: Transaction) -> None:
    """Errors of ClickHouse quote values; ours name the kind of error only."""
    plan = _plan((SECRET, 1.0), question="SELECT toInt64(name) FROM recorded")
    with pytest.raises(ClickHouseUnavailable) as refused:
        Embedded(interpreter).ask(reader, plan)
    assert "CANNOT_PARSE_TEXT" in str(refused.value) and SECRET not in str(refused.value)


def test_without_the_extra_one_line_says_what_to_install(tmp_path: Path, on_file: Project) -> None:
    """A Python without chdb leads to the command that installs it."""
    venv.create(tmp_path / "bare", symlinks=True, with_pip=False)
    with pytest.raises(ClickHouseUnavailable, match=r"pip install 'vettle\[clickhouse\]'"):
        analyse(on_file, "costs", engine=Embedded(str(tmp_path / "bare" / "bin" / "python")))
    with pytest.raises(ClickHouseUnavailable, match="cannot be started"):
        analyse(on_file, "costs", engine=Embedded(str(tmp_path / "no such python")))


def test_the_live_database_is_left_alone(on_file: Project, embedded: Engine) -> None:
    """Analyses between writes lose nothing: another process sees what was written before and after."""
    _some(on_file)
    for number in range(2):
        found = analyse(on_file, "costs", engine=embedded).costs
        assert found is not None and found.total.runs == 1 + number
        record(on_file, RunInput(unit=f"later {number}", variant="b", metrics={"passed": 0}))
    assert on_file.database.with_name("vettle.db-wal").exists()
    assert not {"chdb", "_chdb"} & set(sys.modules)
    again = on_file.open_again()
    with again.read() as transaction:
        assert transaction.execute("SELECT count(*) FROM run")[0][0] == 3
    again.close()


def test_rows_that_get_lost_are_missed(tmp_path: Path, interpreter: str, reader: Transaction) -> None:
    """An answer over fewer rows than were sent is no answer."""
    forgetful = _program(tmp_path, f'sed -i 2d rows.jsonl; exec {interpreter} "$@"')
    with pytest.raises(ClickHouseUnavailable, match="Of 2 rows 1 arrived"):
        Embedded(forgetful).ask(reader, _plan(("a", 1.0), ("b", 2.0)))


def test_a_server_keeps_nothing(loopback: Loopback, server: Engine, reader: Transaction) -> None:
    """The table is a temporary one, and goes also when a question fails."""
    before = len(loopback.log.read_text("utf-8"))
    with pytest.raises(ClickHouseUnavailable, match="code 395"):
        server.ask(reader, _plan(("a", 1.0), question="SELECT throwIf(1)"))
    assert server.ask(reader, _plan(("a", 1.0), n="SELECT count() FROM recorded")) == {"n": [[1]]}
    log = loopback.log.read_text("utf-8")[before:]
    assert log.count("CREATE TEMPORARY TABLE recorded") == log.count("DROP TEMPORARY TABLE recorded") == 2
    assert "CREATE TABLE" not in log


def test_passwords_are_never_told(
    loopback: Loopback, on_file: Project, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever is wrong with a server, its place is named and its password is not, in no message and no log."""
    _some(on_file)
    wrong = {
        f"http://reader:wr0ng-word@{loopback.address}/default": "refuses the user or the password",
        "http://reader:wr0ng-word@127.0.0.1:1/default": "does not answer",
        "ftp://reader:wr0ng-word@127.0.0.1": "no URL of ClickHouse",
        "http://reader:wr0ng-word@[x": "no URL of ClickHouse",
        "http://reader:wr0ng-word@host:port/x": "no URL of ClickHouse",
    }
    for url, problem in wrong.items():
        engine = Server(url)
        with pytest.raises((ClickHouseUnavailable, ConfigurationInvalid), match=problem) as refused:
            analyse(on_file, "costs", engine=engine)
        told = [str(refused.value), repr(refused.value), repr(engine), repr(refused.value.__cause__)]
        assert not [text for text in told if "wr0ng" in text]
    assert "wr0ng" not in caplog.text + "".join(capfd.readouterr())


def test_the_environment_chooses_the_server(loopback: Loopback) -> None:
    """VETTLE_CLICKHOUSE_URL leads to a server, and without it the embedded one is used."""
    assert clickhouse({"VETTLE_CLICKHOUSE_URL": loopback.url}) == Server(loopback.url)
    assert clickhouse({}) == Embedded(sys.executable)


def test_nothing_of_it_is_loaded_unless_asked_for(tmp_path: Path) -> None:
    """The default engine needs neither of the packages, nor our own modules about them."""
    code = (
        "import sys; from pathlib import Path; from vettle.engine.project import Project;"
        "from vettle.engine.analysis.analysing import analyse;"
        f"analyse(Project(Path({str(tmp_path)!r})), 'costs'); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not [name for name in done.stdout.split() if "clickhouse" in name or "chdb" in name]
