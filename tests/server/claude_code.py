"""The real Claude Code from npm, with our plugin from this checkout."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests import npm

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "plugins" / "claude-code"
PROGRAMS = Path(sys.executable).parent
PACKAGE = "@anthropic-ai/claude-code@2.1.330"


class Claude:
    """The real Claude Code with a home, a repository and a PATH of its own, and no network but loopback."""

    def __init__(self, folder: Path, *, with_vettle: bool = True) -> None:
        self._program = npm.programs(PACKAGE) / "claude"
        self.repository = folder / "repository"
        self.home = folder / "home"
        for made in (self.repository, self.home, folder / "programs"):
            made.mkdir()
        if with_vettle:
            (folder / "programs" / "vettle").symlink_to(PROGRAMS / "vettle")
        unreachable = "http://127.0.0.1:9"
        self.environment = {
            "HOME": str(self.home),
            "PATH": os.pathsep.join((str(folder / "programs"), "/usr/local/bin", "/usr/bin", "/bin")),
            "TMPDIR": str(folder),
            "TERM": "dumb",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "HTTP_PROXY": unreachable,
            "HTTPS_PROXY": unreachable,
            "NO_PROXY": "127.0.0.1",
            "DISABLE_AUTOUPDATER": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "ANTHROPIC_API_KEY": "no-secret",
            "ENABLE_TOOL_SEARCH": "false",
            "MCP_CONNECTION_NONBLOCKING": "false",
            "MCP_STARTUP_WAIT_MS": "30000",
            "MCP_CONNECT_TIMEOUT_MS": "30000",
        }

    def run(self, *arguments: str | Path, model: str = "") -> str:
        """Run `claude` in the repository and return what it printed; the model lives at this address."""
        done = subprocess.run(
            [self._program, *arguments],
            cwd=self.repository,
            env=self.environment | {"ANTHROPIC_BASE_URL": model or "http://127.0.0.1:9"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def install(self, *options: str) -> None:
        """Install the plugin with the command that the documentation gives, from the checkout."""
        page = (ROOT / "docs" / "claude-code.md").read_text(encoding="utf-8")
        [command] = re.findall(r"^claude (plugin install .+)$", page, re.MULTILINE)
        assert f"claude {command}\n" in (PLUGIN / "README.md").read_text(encoding="utf-8")
        self.run(*shlex.split(command.replace("path/to/vettle", shlex.quote(str(ROOT)))), *options)

    def vettle(self, *arguments: str) -> str:
        """Run the `vettle` that the plugin finds, in the repository."""
        return subprocess.run(
            [str(PROGRAMS / "vettle"), *arguments],
            cwd=self.repository,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout

    def told(self, *arguments: str) -> Any:
        """Return what a command of vettle answers as JSON."""
        return json.loads(self.vettle(*arguments, "--json"))
