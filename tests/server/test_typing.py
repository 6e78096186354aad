"""What a person gets who types half of a command, a piece of an id, or the wrong field."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from tests.engine.experiments.world import create

from vettle.engine import rules, subjects
from vettle.engine.errors import InvalidArgument
from vettle.engine.project import Project
from vettle.server import experiment_tools
from vettle.server.cli import cli
from vettle.server.signatures import signature
from vettle.server.toolsets import find

GROUPS = ("session", "rule", "experiment", "export", "hook", "db")


def _run(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--project", str(root), *arguments], prog_name="vettle")


def _listed() -> Iterator[tuple[str, click.Command]]:
    for name in GROUPS:
        group = cli.get_command(click.Context(cli), name)
        assert isinstance(group, click.Group)
        yield from ((f"{name} {child}", command) for child, command in group.commands.items())


@pytest.mark.parametrize("name", GROUPS)
def test_a_group_alone_shows_what_it_has(tmp_path: Path, name: str) -> None:
    """The help that --help prints, on stderr and as wrong usage, and nothing on stdout."""
    alone = _run(tmp_path, name)
    assert (alone.exit_code, alone.stdout) == (2, "")
    assert alone.stderr == _run(tmp_path, name, "--help").stdout
    assert len(alone.stderr.splitlines()) > 5


@pytest.mark.parametrize(("name", "command"), list(_listed()))
def test_a_list_of_commands_says_what_each_does(name: str, command: click.Command) -> None:
    """The example that help begins with is no summary."""
    assert not command.get_short_help_str(200).startswith("Example"), name


def test_a_piece_that_only_one_rule_has_is_enough(tmp_path: Path) -> None:
    """The rule that is meant is named; where several could be, nothing is decided."""
    for text in ("Run the type checker.", "Sort the imports."):
        assert _run(tmp_path, "rule", "add", text).exit_code == 0
    meant = _run(tmp_path, "rule", "decide", "type checker", "pin", "team")
    assert meant.exit_code == 0
    assert meant.stderr.startswith("rule run-the-type-checker-")
    several = _run(tmp_path, "rule", "decide", "the", "retire", "why")
    assert several.exit_code == 1 and "could be" in str(several.exception)
    assert "1 pinned, 1 trial" in _run(tmp_path, "status").stdout


def test_a_whole_name_in_another_case_is_enough_where_it_is_the_only_one(tmp_path: Path) -> None:
    """As a piece of it is; what is spelled as given stays what is meant, however many differ from it by case."""
    with contextlib.closing(Project(tmp_path)) as project:
        rule_id = rules.add(project, text="Sort the imports.").rule_id
        assert subjects.whole(project, "rule", rule_id.upper()) == rule_id
        for name in ("Wording", "wording"):
            create(project, name=name)
            assert subjects.whole(project, "experiment", name) == name
            found = subjects.whole(project, "experiment", "WORDING")
            assert found == ("Wording" if name == "Wording" else "WORDING")


def _wrong(*runs: object) -> str:
    with pytest.raises(InvalidArgument) as caught:
        signature(find(experiment_tools.run_record)).validate({"experiment": "x", "runs": list(runs)})
    return str(caught.value)


def test_a_wrong_field_is_said_once_with_the_valid_ones() -> None:
    """One mistake is one message, and the fields of a row are named."""
    said = _wrong({"assignment_id": "u", "metrcs": {"passed": 1}})
    assert said.startswith("runs.0.metrcs: ") and "Did you mean 'metrics'".casefold() in said.casefold()
    assert "at least" not in said and "assignment_id, unit, variant, status, metrics" in said


def test_the_same_mistake_in_several_places_is_said_once() -> None:
    """Each place is named, and the message is not repeated."""
    said = _wrong("a", "b", "c")
    assert said.startswith("runs.0, runs.1, runs.2: must be an object. ")
    assert said.count("must be an object") == 1
    assert "runs: must not be empty." in _wrong()
