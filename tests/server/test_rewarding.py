"""`vettle reward --from-...`: outcomes that nobody has to state, from the command line to the evidence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.server.git import repositories
from tests.server.git.repositories import Repository

from vettle.server.cli import cli, main

_PASSED = '<testcase classname="tests.test_a" name="test_one"/>'
_FAILED = '<testcase file="tests/test_a.py" name="test_two"><failure message="{}"/></testcase>'


@dataclass(frozen=True)
class Commands:
    """The command line in one project."""

    root: Path

    def __call__(self, *arguments: str) -> dict[str, Any]:
        """Run a command and return its record."""
        result = CliRunner().invoke(cli, ["--project", str(self.root), *arguments, "--json"])
        assert result.exit_code == 0, result.output or result.exception
        record = json.loads(result.stdout)
        assert isinstance(record, dict)
        return record

    def refused(self, *arguments: str, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> tuple[int, str]:
        """Run a command that fails, and return its exit code and its one line on stderr."""
        monkeypatch.setattr(sys, "argv", ["vettle", "--project", str(self.root), *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr().err
        assert said.count("\n") == 1, said
        assert isinstance(ended.value.code, int)
        return ended.value.code, said

    def session(self) -> str:
        """Start a session and return its id."""
        return str(self("session", "start", "work")["session_id"])

    def rewards(self) -> int:
        """Return how many rewards were ever logged."""
        return len(self("events", "--kind", "reward_logged")["events"])


@pytest.fixture(name="vettle")
def _vettle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return Commands(repositories.made(tmp_path / "project").root)


def _report(folder: Path, *cases: str) -> str:
    path = folder / "junit.xml"
    path.write_text(f"<testsuite>{''.join(cases)}</testsuite>")
    return str(path)


def test_a_report_rewards_the_session_once(vettle: Commands, tmp_path: Path) -> None:
    """CI may send the same report again; another report is another reward."""
    session = vettle.session()
    report = _report(tmp_path, _PASSED, _PASSED, _PASSED, _FAILED.format("no"))
    found = vettle("reward", "--from-junit", report)
    assert (found["outcome"], found["revision_distance"], found["source"]) == ("revision", 0.25, "ci")
    assert (found["reward"]["value"], found["session_id"]) == (0.75, session)
    assert vettle("reward", "--from-junit", report, "--session", session) == found
    assert vettle.rewards() == 1
    vettle("reward", "--from-junit", _report(tmp_path, _PASSED))
    assert vettle.rewards() == 2


@pytest.mark.parametrize("option", ["--session", "--session-id"])
def test_a_session_is_named_alike_everywhere(vettle: Commands, option: str) -> None:
    """Reward, mistake and the end of a session take both spellings; help shows one."""
    session = vettle.session()
    assert vettle("mistake", "lint", "line too long", option, session)["session_id"] == session
    assert vettle("reward", "accepted", option, session)["session_id"] == session
    assert vettle("session", "end", option, session)["state"] == "scored"
    for command in (("reward",), ("mistake",), ("session", "end")):
        said = CliRunner().invoke(cli, [*command, "--help"]).output
        assert "--session TEXT" in said and "--session-id" not in said


def test_failed_tests_are_mistakes_once_in_a_session(vettle: Commands, tmp_path: Path) -> None:
    """The same test in another report of the same session is no second mistake, whatever it says this time."""
    first = vettle.session()
    for said in ("assert 1 == 2", "assert 1 == 2", "assert 3 == 4, password = hunter2hunter2"):
        found = vettle(
            "reward", "--from-junit", _report(tmp_path, _PASSED, _FAILED.format(said)), "--mistakes"
        )
    assert (found["mistakes"], found["mistakes_known"]) == ([], 1)
    rows = vettle("events", "--kind", "mistake_logged")["events"]
    assert len(rows) == 1
    assert "tests/test_a.py::test_two: assert 1 == 2" in json.dumps(rows)
    vettle("session", "end", "--session-id", first)
    second = vettle.session()
    report = _report(tmp_path, _FAILED.format("assert 1 == 2"))
    [mistake] = vettle("reward", "--from-junit", report, "--mistakes", "--session", second)["mistakes"]
    assert mistake["repeat"] is True


def test_two_tests_are_two_mistakes_however_alike_they_fail(vettle: Commands, tmp_path: Path) -> None:
    """A test that fails as another did in an earlier session was not made before."""
    for number, name in enumerate(("test_two", "test_six", "test_two")):
        session = vettle.session()
        case = f'<testcase name="{name}" file="tests/test_a.py"><failure message="assert 1 == 2"/></testcase>'
        found = vettle("reward", "--from-junit", _report(tmp_path, case), "--mistakes", "--session", session)
        assert [mistake["repeat"] for mistake in found["mistakes"]] == [number == 2]
        vettle("session", "end", "--session-id", session)


def test_a_rule_that_is_none_records_nothing(
    vettle: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """A refused reward leaves no mistakes behind."""
    vettle.session()
    report = _report(tmp_path, _FAILED.format("no"))
    arguments = ("reward", "--from-junit", report, "--mistakes", "--rules-active", "nosuch")
    code, said = vettle.refused(*arguments, monkeypatch=monkeypatch, capsys=capsys)
    assert (code, "no rule 'nosuch'" in said) == (1, True)
    assert vettle("events", "--kind", "mistake_logged")["events"] == []


def test_the_same_report_with_another_weight_is_refused(
    vettle: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """The message is about the session, and not about a key that nobody gave."""
    session = vettle.session()
    report = _report(tmp_path, _PASSED)
    vettle("reward", "--from-junit", report)
    again = ("reward", "--from-junit", report, "--weight", "0.5")
    code, said = vettle.refused(*again, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 1
    assert f"session {session} was rewarded for this already" in said
    vettle(*again, "--client-ref", "mine")
    assert vettle.rewards() == 2


def test_mistakes_count_in_the_session_that_the_report_scores(vettle: Commands, tmp_path: Path) -> None:
    """An ended session is scored by the reward, with the mistakes of the same report."""
    session = vettle.session()
    vettle("session", "end", "--session-id", session)
    report = _report(tmp_path, _PASSED, _FAILED.format("no"))
    found = vettle("reward", "--from-junit", report, "--mistakes")
    assert found["reward"]["counted"] is True
    assert found["reward"]["session_score"] == pytest.approx(0.5 * 0.5 + 0.5 * 0.5)


def test_a_broken_build_does_not_log_a_thousand_mistakes(vettle: Commands, tmp_path: Path) -> None:
    """At most 20 failed tests of a report become mistakes."""
    vettle.session()
    cases = [f'<testcase name="t{number}"><failure message="no"/></testcase>' for number in range(30)]
    assert len(vettle("reward", "--from-junit", _report(tmp_path, *cases), "--mistakes")["mistakes"]) == 20


@pytest.mark.parametrize(
    ("code", "outcome", "rewards"),
    [("0", "accepted", 1), ("1", "rejected", 1), ("137", "", 0), ("-9", "", 0)],
)
def test_exit_codes(vettle: Commands, code: str, outcome: str, rewards: int) -> None:
    """0 is accepted, a failure rejected; a run that was killed is told and not recorded, with exit code 0."""
    vettle.session()
    found = vettle("reward", "--from-exit-code", code)
    assert (found["outcome"], found["applied"]) == (outcome, bool(rewards))
    assert vettle.rewards() == rewards


def test_a_report_without_tests_rewards_nobody(vettle: Commands, tmp_path: Path) -> None:
    """There is no verdict, a sentence says so, and nothing is recorded."""
    vettle.session()
    found = vettle("reward", "--from-junit", _report(tmp_path))
    assert (found["outcome"], found["reward"], found["applied"]) == ("", None, False)
    assert "no test ran" in found["reason"]
    assert vettle.rewards() == 0


def test_a_session_is_judged_by_what_became_of_its_work(vettle: Commands) -> None:
    """Session start, work, session end, commit, reward: the loop with real files."""
    repository = Repository(vettle.root, vettle.root)
    repository.write("a.py", "a = 1")
    repository.commit()
    session = vettle.session()
    repository.write("b.py", *range(10))
    vettle("session", "end", "--session-id", session)
    found = vettle("reward", "--from-git")
    assert found["outcome"] == ""
    assert "too early" in found["reason"]
    repository.write("b.py", *range(8), "eight", "nine")
    repository.commit()
    planned = vettle("reward", "--from-git", "--dry-run")
    assert (planned["applied"], planned["reward"], vettle.rewards()) == (False, None, 0)
    found = vettle("reward", "--from-git")
    assert (found["outcome"], found["source"], found["reward"]["value"]) == ("revision", "git", 0.8)
    assert found["reward"]["counted"] is True
    assert vettle("reward", "--from-git", "--session", session) == found
    assert vettle.rewards() == 1


def test_a_branch_and_what_was_merged(vettle: Commands) -> None:
    """For CI: commits say what a snapshot would."""
    repository = Repository(vettle.root, vettle.root)
    repository.write("a.py", "a = 1")
    repository.commit()
    repository.git("checkout", "--quiet", "-b", "agent")
    repository.write("b.py", "b = 1")
    repository.commit()
    vettle.session()
    arguments = ("reward", "--from-git", "--proposed", "agent", "--accepted", "agent", "--base", "main")
    assert vettle(*arguments)["outcome"] == "accepted"
    assert vettle(*arguments)["reward"]
    assert vettle.rewards() == 1


def test_without_a_database_nothing_is_begun(
    vettle: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """A machine of CI that never saw the session says so and leaves no trace; a dry run still tells the verdict."""
    report = _report(tmp_path, _PASSED)
    for more in ((), ("--session", "s-0123456789ab")):
        code, said = vettle.refused(
            "reward", "--from-junit", report, *more, monkeypatch=monkeypatch, capsys=capsys
        )
        assert code == 1
        assert "there is no database here" in said
    assert vettle("reward", "--from-junit", report, "--dry-run")["outcome"] == "accepted"
    assert not (vettle.root / ".vettle").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["accepted", "--from-exit-code", "0"], "OUTCOME does not go with --from-exit-code"),
        (["--from-exit-code", "0", "--source", "human"], "--source does not go with"),
        (["--from-exit-code", "0", "--from-git"], "do not go together"),
        (["--from-exit-code", "0", "--mistakes"], "--mistakes goes with --from-junit"),
        (["accepted", "--commit", "HEAD"], "--commit goes with --from-git"),
        (["accepted", "--dry-run"], "--dry-run goes with"),
        (["--from-git", "--proposed", "a"], "--proposed REV and --accepted REV go together"),
        (["--from-git", "--proposed", "a", "--accepted", "b", "--commit", "c"], "--commit does not go with"),
        (["--from-git"], "No session is open"),
        (["--from-exit-code", "-100"], "no exit code"),
        (["--from-exit-code", "0", "--weight", "nan"], "weight"),
        (["--from-junit", "nosuch.xml"], "'nosuch.xml' does not exist"),
        ([], "outcome"),
    ],
)
def test_what_does_not_go_together_is_refused(
    vettle: Commands, monkeypatch: pytest.MonkeyPatch, capsys: Any, arguments: list[str], message: str
) -> None:
    """Wrong usage is one line and exit code 2, and records nothing."""
    code, said = vettle.refused("reward", *arguments, monkeypatch=monkeypatch, capsys=capsys)
    assert code == 2
    assert message in said
    assert not (vettle.root / ".vettle").exists()


def test_it_says_in_words_what_it_found(vettle: Commands, tmp_path: Path) -> None:
    """For people: the outcome, the session, the reason and the next step."""
    session = vettle.session()
    command = [sys.executable, "-m", "vettle", "--project", str(vettle.root), "reward", "--from-junit"]
    done = subprocess.run(
        [*command, _report(tmp_path, _PASSED, _FAILED.format("no")), "--mistakes"],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )
    assert (done.returncode, done.stderr) == (0, "")
    first, *more = done.stdout.splitlines()
    assert first == f"revision (distance 0.50), session {session}: 1 of 2 tests failed."
    assert any("1 failed test logged as a mistake" in line for line in more)
    assert "run vettle session end" in more[-1]
    again = _report(tmp_path, _PASSED, _PASSED, _FAILED.format("yes"))
    done = subprocess.run(
        [*command, again, "--mistakes"], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert "1 failed test noticed before, and not logged again." in done.stdout.splitlines()


def test_hostile_reports_change_nothing(
    vettle: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """A report with entities is refused with exit code 3, and nothing is recorded."""
    vettle.session()
    path = tmp_path / "bomb.xml"
    path.write_text('<!DOCTYPE a [<!ENTITY b "c">]><testsuite><testcase name="&b;"/></testsuite>')
    code, said = vettle.refused("reward", "--from-junit", str(path), monkeypatch=monkeypatch, capsys=capsys)
    assert (code, "entities" in said) == (3, True)
    assert vettle.rewards() == 0
