"""The plugin for Claude Code: its files agree with the server, and the real Claude Code takes it and works with it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import time
import tomllib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.server.claude_code import PLUGIN, PROGRAMS, ROOT, Claude
from tests.server.model import Call, serving

from vettle.engine import prepared_files, rules
from vettle.engine.locating import hooks_folder
from vettle.engine.project import Project
from vettle.server.hooks.assistants import ASSISTANTS
from vettle.server.hooks.preparing import prepare_ahead

PREFIX = "mcp__plugin_vettle_vettle__"
RULES = ("Keep functions short", "Never edit generated files")
TOOLS: dict[str, set[str]] = {
    tool["name"]: set(tool["inputSchema"]["properties"])
    for tool in json.loads((ROOT / "tests/server/golden/tools.json").read_text(encoding="utf-8"))
}


def _read(file: str) -> Any:
    return json.loads((PLUGIN / file).read_text(encoding="utf-8"))


def test_the_plugin_has_the_version_of_the_package() -> None:
    """What `claude plugin list` shows is the version that `vettle --version` shows."""
    package = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert _read(".claude-plugin/plugin.json")["version"] == package["project"]["version"]


def test_hooks_of_the_plugin_are_those_that_the_command_installs() -> None:
    """The plugin and `vettle hook install claude-code` listen to the same events, and only the start may complain."""
    events = {}
    for event, [group] in _read("hooks/hooks.json")["hooks"].items():
        events[event] = group.get("matcher", "")
        [hook] = group["hooks"]
        silenced = "" if event == "SessionStart" else " || true"
        assert (
            hook["command"]
            == f'"${{CLAUDE_PLUGIN_OPTION_COMMAND:-vettle}}" hook claude-code {event}{silenced}'
        )
    assert events == ASSISTANTS["claude-code"].events


def test_slash_commands_may_call_only_tools_that_exist() -> None:
    """What a slash command allows without a question is one tool of the core, and only a person can call it."""
    for file in (PLUGIN / "commands").glob("*.md"):
        _, head, text = file.read_text(encoding="utf-8").split("---\n")
        settings = yaml.safe_load(head)
        # The second is its name where the project has an entry of its own: that one wins over the plugin's.
        [tool, same] = settings["allowed-tools"].split(", ")
        tool = tool.removeprefix(PREFIX)
        assert same == f"mcp__vettle__{tool}"
        assert tool in TOOLS
        assert f"`{tool}`" in text
        assert settings["disable-model-invocation"] is True


def test_the_skill_names_tools_and_arguments_that_exist() -> None:
    """The reference implementation of Agent Skills takes the skill, and what it tells agents to call can be called."""
    skill = PLUGIN / "skills" / "vettle"
    done = subprocess.run(
        [PROGRAMS / "agentskills", "validate", skill], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    calls = re.findall(r"`(\w+)\(([\w, ]*)\)`", (skill / "SKILL.md").read_text(encoding="utf-8"))
    assert len(calls) >= 5
    for tool, arguments in calls:
        assert set(arguments.split(", ")) <= TOOLS[tool]


@pytest.fixture(name="claude")
def _claude(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Claude:
    claude = Claude(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(claude.home / "state"))
    claude.environment["XDG_STATE_HOME"] = str(claude.home / "state")
    return claude


@pytest.mark.parametrize("folder", [PLUGIN, ROOT], ids=["plugin", "marketplace"])
def test_claude_code_validates_it_strictly(claude: Claude, folder: Path) -> None:
    """`claude plugin validate --strict` has neither an error nor a warning for the plugin and for its marketplace."""
    report = json.loads(claude.run("plugin", "validate", "--strict", "--json", folder))
    assert report["success"]
    assert (report["manifest"]["errors"], report["manifest"]["warnings"]) == ([], [])
    assert all(not part["errors"] + part["warnings"] for part in report["contents"])


def test_it_installs_in_one_step_without_a_network_and_goes_again(claude: Claude) -> None:
    """One command installs and enables it, its server connects, and uninstalling leaves nothing enabled."""
    claude.install()
    [plugin] = json.loads(claude.run("plugin", "list", "--json"))
    assert (plugin["id"], plugin["enabled"]) == ("vettle@vettle", True)
    assert re.search(r"plugin:vettle:vettle: vettle serve - . Connected", claude.run("mcp", "list"))
    claude.run("plugin", "uninstall", "vettle")
    assert json.loads(claude.run("plugin", "list", "--json")) == []


def test_the_command_can_be_elsewhere(tmp_path: Path) -> None:
    """Where `vettle` is not on PATH, the plugin's option names it, to the server and to the hooks."""
    claude = Claude(tmp_path, with_vettle=False)
    seen = tmp_path / "seen"
    elsewhere = tmp_path / "a folder" / "vettle"
    elsewhere.parent.mkdir()
    real = shlex.quote(str(PROGRAMS / "vettle"))
    script = (
        f'#!/bin/sh\necho "$*" >> {shlex.quote(str(seen))}\n[ "$1" = serve ] && exec {real} "$@"\nexit 0\n'
    )
    elsewhere.write_text(script, encoding="utf-8")
    elsewhere.chmod(0o755)
    claude.install("--config", f"command={elsewhere}")
    with serving() as model:
        claude.run("-p", "hello", model=model.address)
    assert {"serve", "hook claude-code SessionStart", "hook claude-code SessionEnd"} <= set(
        seen.read_text(encoding="utf-8").splitlines()
    )


def test_without_vettle_the_session_goes_on(tmp_path: Path) -> None:
    """A plugin whose command is missing neither stops Claude Code nor says a word to the model."""
    claude = Claude(tmp_path, with_vettle=False)
    claude.install()
    with serving([Call("Bash", {"command": "exit 3", "description": "fails"})]) as model:
        assert claude.run("-p", "hello", "--allowedTools", "Bash", model=model.address).strip() == "ok"
    assert not model.plan
    assert "not found" not in model.told()


def test_a_person_judges_the_session_with_a_slash_command(claude: Claude) -> None:
    """/vettle:reward brings the model its text and what was typed, and its tool runs without asking for permission."""
    claude.vettle("init")
    session = claude.told("session", "start", "a task")["session_id"]
    claude.install()
    judged = {"session_id": session, "outcome": "revision", "source": "human", "notes": "too long"}
    with serving([Call(f"{PREFIX}reward_log", judged)]) as model:
        claude.run("-p", "/vettle:reward revision too long", model=model.address)
    text = (PLUGIN / "commands" / "reward.md").read_text(encoding="utf-8").split("---\n")[2]
    sent = text.replace("$ARGUMENTS", "revision too long").strip()
    assert json.dumps(sent)[1:-1] in model.told()
    rewards = claude.told("rewards")["rewards"]
    assert (rewards["by_outcome"], list(rewards["by_source"])) == ({"revision": 1}, ["human"])


def test_where_there_is_no_project_nothing_is_made(claude: Claude) -> None:
    """In a repository without .vettle/ the plugin neither makes anything nor says anything to the model."""
    claude.install()
    with serving([_bash("exit 3")]) as model:
        claude.run("-p", "hello", "--allowedTools", "Bash", model=model.address)
    assert not model.plan
    assert "vettle session" not in model.told()
    assert list(claude.repository.iterdir()) == []


def test_a_session_is_measured_without_any_help_of_the_agent(claude: Claude) -> None:
    """The model is given the recorded rules, what fails is logged, and passing tests reward the session at its end."""
    (claude.repository / ".vettle").mkdir()
    settings = claude.repository / ".vettle" / "config.toml"
    settings.write_text("[hooks]\ntests_wait_hours = 0\n", encoding="utf-8")
    test = claude.repository / "test_answer.py"
    test.write_text("def test_answer() -> None:\n    assert 41 == 42\n", encoding="utf-8")
    _with_rules(claude)
    claude.install()
    run_tests = f"{sys.executable} -m pytest -q -p no:cacheprovider test_answer.py"
    gone = {"file_path": str(test), "old_string": "not there", "new_string": "x"}
    plan = [
        Call(f"{PREFIX}session_start", {"task": "what the instructions of the server ask for"}),
        _bash(run_tests),
        _bash("nosuchcommand"),
        Call("Edit", gone),
        _bash("grep nothing test_answer.py"),
        _bash("sed -i s/41/42/ test_answer.py"),
        _bash(run_tests),
        Call("Agent", {"description": "a step", "prompt": "say ok", "subagent_type": "general-purpose"}),
    ]
    tools = f"Bash,Edit,Agent,{PREFIX}session_start"
    with serving(plan) as model:
        claude.run("-p", "hello", "--allowedTools", tools, model=model.address)
    assert not model.plan
    [session] = _settled(claude)
    assert f"This is vettle session {session['session_id']}" in model.told()
    # The subagent, too, is told the rules that its mistakes count for.
    assert all("This is vettle session" in json.dumps(request["messages"]) for request in model.requests)
    assert session["rules_shown"] == sum(rule in model.told() for rule in RULES) > 0
    assert "It is under way" in model.told()
    assert (session["state"], session["mistakes"]) == ("scored", 3)
    mistakes = claude.told("events", "--kind", "mistake_logged")["events"]
    assert {event["subject"] for event in mistakes} == {"test-failure", "command-not-found", "edit-failed"}
    rewards = claude.told("rewards")["rewards"]
    assert (rewards["by_outcome"], list(rewards["by_source"])) == ({"accepted": 1}, ["ci"])


def test_a_session_that_goes_on_stays_one(claude: Claude) -> None:
    """A conversation that is resumed is told the same again, and its later mistakes belong to the same session."""
    _with_rules(claude)
    claude.install()
    with serving() as model:
        said = claude.run("-p", "hello", "--output-format", "json", model=model.address)
        [first] = _settled(claude)
        model.plan.append(_bash("nosuchcommand"))
        resume = ("--resume", json.loads(said)["session_id"])
        claude.run("-p", "go on", *resume, "--allowedTools", "Bash", model=model.address)
    assert not model.plan
    [session] = _settled(claude)
    assert session["session_id"] == first["session_id"]
    assert session["mistakes"] == 1
    assert set(re.findall(r"This is vettle session (s-\w+)", model.told())) == {first["session_id"]}


def _bash(command: str) -> Call:
    return Call("Bash", {"command": command, "description": "a step"})


def _with_rules(claude: Claude) -> None:
    """Make the repository a project with rules, and draw sessions to come that do not withhold all of them."""
    claude.vettle("init")
    prepared: list[Path] = []
    with closing(Project(claude.repository)) as project:
        for text in RULES:
            rules.add(project, text=text, source="human")
        while not prepared:
            prepare_ahead(project)
            for path in prepared_files.folder(project.root).glob("*.json"):
                if any(rule in path.read_text(encoding="utf-8") for rule in RULES):
                    prepared.append(path)
                else:
                    path.unlink()


def _settled(claude: Claude) -> list[dict[str, Any]]:
    """Return the sessions once the worker behind the hooks has recorded everything, and none is open."""
    spool = Path(hooks_folder(str(claude.repository), claude.environment)) / "spool"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if not list(spool.glob("*.json")):
            sessions: list[dict[str, Any]] = claude.told("sessions")["sessions"]["sessions"]
            if sessions and all(session["state"] != "open" for session in sessions):
                return sessions
        time.sleep(0.1)
    pytest.fail(f"Not recorded after 30 s: {sorted(path.name for path in spool.iterdir())}")
