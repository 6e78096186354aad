"""Every client as data: its files, the shape of an entry, how it tells a server the project, how it is noticed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from vettle.engine.errors import InvalidArgument
from vettle.engine.suggesting import hint
from vettle.server.clients.place import Location

NAME = "vettle"
"""What our entry is called in every client."""

FormatName = Literal["json", "toml", "yaml"]

_HERE = ("serve",)
_WORKSPACE = ("serve", "--project", "${workspaceFolder}")
_ABSOLUTE = ("serve", "--project", "{root}")


@dataclass(frozen=True)
class Client:
    """One client.

    `also` are other names that people give it. `keys` lead to the object (or list) of servers. `project` is the file that a team shares, `user` the one of the
    person alone; the first that exists here is written unless the user's is asked for. `arguments` start our server
    from the project's file, `user_arguments` from the user's; `{root}` in them is the project's absolute path, for
    clients that neither start servers in the project nor say where it is. `members` come with every entry.
    `folders` and `programs` tell that the client is used here. `hint` is what the person must do afterwards.
    `read_too` are places where a person may have put an entry by other means, with their keys: they are never written.
    """

    name: str
    title: str
    format: FormatName
    keys: tuple[str, ...]
    project: Location | None
    user: Location | None
    arguments: tuple[str, ...]
    user_arguments: tuple[str, ...]
    folders: tuple[Location, ...]
    programs: tuple[str, ...]
    hint: str
    also: tuple[str, ...] = ()
    members: dict[str, Any] = field(default_factory=dict)
    read_too: tuple[tuple[Location, tuple[str, ...]], ...] = ()

    @property
    def locations(self) -> tuple[Location, ...]:
        """Every file in which an entry of ours can be, the preferred one first."""
        return tuple(location for location in (self.project, self.user) if location)

    def location(self, *, user: bool) -> Location:
        """Return the file to write: the project's, or the person's if that is asked for, where there is one."""
        return self.user if self.user and (user or not self.project) else self.locations[0]


# "serve" without --project, wherever the client starts servers in the folder that it was started in: vettle then walks
# up to the project, also from a subfolder. ${CLAUDE_PROJECT_DIR:-.} would not: Claude Code 2.1 replaces it by ".".
CLIENTS = (
    Client(
        name="claude",
        title="Claude Code",
        format="json",
        keys=("mcpServers",),
        project=Location("project", ".mcp.json"),
        user=Location("home", ".claude.json", "CLAUDE_CONFIG_DIR"),
        arguments=_HERE,
        user_arguments=_HERE,
        folders=(
            Location("home", ".claude"),
            Location("project", ".claude"),
            Location("project", ".mcp.json"),
        ),
        programs=("claude",),
        hint="start claude in the project and approve the server vettle",
        also=("claude-code",),
        members={"type": "stdio"},
        # What `claude mcp add` writes unless it is told another scope.
        read_too=(
            (Location("home", ".claude.json", "CLAUDE_CONFIG_DIR"), ("projects", "{root}", "mcpServers")),
        ),
    ),
    Client(
        name="cursor",
        title="Cursor",
        format="json",
        keys=("mcpServers",),
        project=Location("project", ".cursor/mcp.json"),
        user=Location("home", ".cursor/mcp.json"),
        arguments=_WORKSPACE,
        user_arguments=_WORKSPACE,
        folders=(Location("home", ".cursor"), Location("project", ".cursor")),
        programs=("cursor", "cursor-agent"),
        hint="restart Cursor and switch vettle on under Customize, MCPs",
        members={"type": "stdio"},
    ),
    Client(
        name="copilot",
        title="VS Code (Copilot)",
        format="json",
        keys=("servers",),
        project=Location("project", ".vscode/mcp.json"),
        user=Location("settings", "Code/User/mcp.json"),
        arguments=_WORKSPACE,
        # In the user's own file VS Code refuses ${workspaceFolder}: "Please open a folder".
        user_arguments=_ABSOLUTE,
        folders=(Location("settings", "Code"), Location("project", ".vscode")),
        programs=("code",),
        hint="reload VS Code, then MCP: List Servers, vettle, Start, and trust it",
        also=("vscode", "vs-code", "code"),
        members={"type": "stdio"},
    ),
    Client(
        name="copilot-cli",
        title="Copilot CLI",
        format="json",
        keys=("mcpServers",),
        project=None,
        user=Location("home", ".copilot/mcp-config.json", "COPILOT_HOME"),
        arguments=_HERE,
        user_arguments=_HERE,
        folders=(Location("home", ".copilot"),),
        programs=("copilot",),
        hint="restart copilot",
        members={"type": "stdio", "tools": ["*"]},
    ),
    Client(
        name="windsurf",
        title="Windsurf",
        format="json",
        keys=("mcpServers",),
        project=None,
        user=Location("home", ".codeium/windsurf/mcp_config.json"),
        arguments=_ABSOLUTE,
        user_arguments=_ABSOLUTE,
        folders=(Location("home", ".codeium/windsurf"), Location("project", ".windsurf")),
        programs=("windsurf",),
        hint="refresh the MCP servers in Windsurf",
    ),
    Client(
        name="devin",
        title="Devin Desktop (was Windsurf)",
        format="json",
        keys=("mcpServers",),
        project=Location("project", ".devin/mcp_config.json"),
        user=Location("roaming", "devin/mcp_config.json"),
        arguments=_HERE,
        user_arguments=_ABSOLUTE,
        folders=(Location("roaming", "devin"), Location("project", ".devin")),
        programs=("devin", "devin-desktop"),
        hint="restart Devin and allow the tools of vettle when it asks",
    ),
    Client(
        name="continue",
        title="Continue",
        format="yaml",
        keys=("mcpServers",),
        project=Location("project", ".continue/mcpServers/vettle.yaml"),
        user=Location("home", ".continue/mcpServers/vettle.yaml", "CONTINUE_GLOBAL_DIR"),
        arguments=_HERE,
        user_arguments=_HERE,
        folders=(Location("home", ".continue"), Location("project", ".continue")),
        programs=("cn",),
        hint="reload the window; Continue uses MCP servers in agent mode only",
        members={"type": "stdio"},
        read_too=((Location("home", ".continue/config.yaml", "CONTINUE_GLOBAL_DIR"), ("mcpServers",)),),
    ),
    Client(
        name="codex",
        title="Codex",
        format="toml",
        keys=("mcp_servers",),
        project=Location("project", ".codex/config.toml"),
        user=Location("home", ".codex/config.toml", "CODEX_HOME"),
        arguments=_HERE,
        user_arguments=_HERE,
        folders=(Location("home", ".codex"), Location("project", ".codex")),
        programs=("codex",),
        hint="start codex in the project and trust it: it ignores the files of projects that are not trusted",
        also=("codex-cli",),
    ),
    Client(
        name="gemini",
        title="Gemini CLI",
        format="json",
        keys=("mcpServers",),
        project=Location("project", ".gemini/settings.json"),
        user=Location("home", ".gemini/settings.json"),
        arguments=_HERE,
        user_arguments=_HERE,
        folders=(Location("home", ".gemini"), Location("project", ".gemini")),
        programs=("gemini",),
        hint="start gemini in the project and trust the folder: it starts no servers in folders that are not trusted",
        also=("gemini-cli",),
    ),
)
"""In the order in which they are shown."""

NAMES = tuple(client.name for client in CLIENTS)


_BY_NAME = {name: client for client in CLIENTS for name in (client.name, *client.also)}


def find(names: Sequence[str]) -> list[Client]:
    """Return the clients with these names, in any case, each once, in the order of the catalogue.

    Raises:
        InvalidArgument: A name is none of a client.
    """
    for name in names:
        if name.lower() not in _BY_NAME:
            remedy = f"Name some of: {', '.join(NAMES)}. {hint(name, _BY_NAME)}"
            raise InvalidArgument("client", f"no client {name[:80]!r}", remedy.strip())
    meant = [_BY_NAME[name.lower()] for name in names]
    return [client for client in CLIENTS if client in meant]
