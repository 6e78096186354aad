"""The real clients read what `vettle init` writes: they list vettle and, where they start servers to see, connect."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests import npm

CLAUDE = "@anthropic-ai/claude-code@2.1.330"
CODEX = "@openai/codex@0.169.0"
GEMINI = "@google/gemini-cli@0.61.0"
COPILOT = "@github/copilot@1.0.102"


class Machine:
    """A person's home folder and a project in it, with the rules that it already has."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.project = folder / "project"
        self.below = self.project / "src"
        self.below.mkdir(parents=True)
        self.home.mkdir()
        (self.project / ".git").mkdir()

    def run(self, command: list[str], *, folder: Path | None = None, **environment: str) -> str:
        """Run a program with this home folder and return what it printed."""
        done = subprocess.run(
            command,
            cwd=folder or self.project,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), "TERM": "dumb", **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def init(self, *arguments: str) -> None:
        """Run `vettle init` here."""
        self.run([sys.executable, "-m", "vettle", "--project", str(self.project), "init", *arguments])


@pytest.fixture(name="machine")
def _machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def _claude(machine: Machine, folder: Path | None = None) -> str:
    quiet = {"DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
    return machine.run([str(npm.programs(CLAUDE) / "claude"), "mcp", "list"], folder=folder, **quiet)


def _approve(machine: Machine) -> None:
    """Do what a person does once in Claude Code: trust the folder and approve the project's server."""
    (machine.home / ".claude.json").write_text(
        json.dumps({"projects": {str(machine.project): {"hasTrustDialogAccepted": True}}})
    )
    settings = machine.project / ".claude/settings.local.json"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text('{"enableAllProjectMcpServers": true}')


def test_claude_code_asks_for_approval_and_then_connects(machine: Machine) -> None:
    """The project's server waits for a person, as the hint says; once approved it is connected, also from a subfolder."""
    machine.init("claude")
    assert "Pending approval" in _claude(machine)
    _approve(machine)
    for folder in (machine.project, machine.below):
        listed = _claude(machine, folder)
        assert "vettle: " in listed
        assert "Connected" in listed
    assert not (machine.below / ".vettle").exists()


def test_claude_code_connects_from_the_users_own_configuration(machine: Machine) -> None:
    """With --user nothing has to be approved, and undoing it leaves what Claude Code keeps in the same file."""
    kept = machine.home / ".claude.json"
    kept.write_text('{"numStartups": 3}')
    machine.init("claude", "--user")
    assert "Connected" in _claude(machine)
    machine.init("claude", "--undo")
    assert "vettle" not in _claude(machine)
    assert json.loads(kept.read_text())["numStartups"] >= 3


def test_codex_lists_vettle_in_a_project_that_is_trusted(machine: Machine) -> None:
    """Codex ignores a project's file until the project is trusted, as the hint says, and then lists it as enabled."""
    codex = [str(npm.programs(CODEX) / "codex"), "mcp", "list", "--json"]
    machine.init("codex")
    (machine.home / ".codex").mkdir()
    assert '"vettle"' not in machine.run(codex)
    trust = f'[projects."{machine.project.as_posix()}"]\ntrust_level = "trusted"\n'
    (machine.home / ".codex/config.toml").write_text(trust)
    output = machine.run(codex)
    (listed,) = json.loads(output[output.index("[\n") : output.rindex("]") + 1])
    assert (listed["name"], listed["enabled"]) == ("vettle", True)
    assert listed["transport"]["args"][-1] == "serve"


def test_codex_keeps_its_own_settings_beside_the_users_entry(machine: Machine) -> None:
    """Codex reads the file that init added a table to, and its answer after undo is what it was before."""
    codex = [str(npm.programs(CODEX) / "codex"), "mcp", "list", "--json"]
    file = machine.home / ".codex/config.toml"
    file.parent.mkdir()
    file.write_text('# mine\nmodel = "gpt-5"\n\n[mcp_servers.other]\ncommand = "true" # keep\n')
    before = file.read_bytes()
    machine.init("codex", "--user")
    listed = machine.run(codex)
    assert '"vettle"' in listed
    assert '"other"' in listed
    machine.init("codex", "--undo")
    assert file.read_bytes() == before


def test_gemini_connects_in_a_folder_that_is_trusted(machine: Machine) -> None:
    """Gemini CLI starts no server in a folder that is not trusted, as the hint says, and in a trusted one it connects."""
    gemini = [str(npm.programs(GEMINI) / "gemini"), "mcp", "list"]
    settings = machine.project / ".gemini/settings.json"
    settings.parent.mkdir()
    settings.write_text('{\n  // mine\n  "mcpServers": {}\n}\n')
    machine.init("gemini")
    assert "vettle" in (listed := machine.run(gemini))
    assert "Connected" not in listed
    listed = machine.run(gemini, GEMINI_CLI_TRUST_WORKSPACE="true")
    assert "vettle" in listed
    assert "Connected" in listed


def test_copilot_cli_lists_vettle_as_a_server_of_the_user(machine: Machine) -> None:
    """Copilot CLI reads the entry beside another server, with every tool allowed."""
    file = machine.home / ".copilot/mcp-config.json"
    file.parent.mkdir()
    file.write_text(
        '{"mcpServers": {"other": {"type": "local", "command": "true", "args": [], "tools": ["*"]}}}'
    )
    machine.init("copilot-cli")
    listed = machine.run([str(npm.programs(COPILOT) / "copilot"), "mcp", "get", "vettle"])
    assert "Enabled" in listed
    assert "* (all)" in listed
