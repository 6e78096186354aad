"""The real server in this process, on a project whose clock is the caller's."""

from __future__ import annotations

from pathlib import Path

from mcp.server import MCPServer

from vettle.engine.clock import Clock
from vettle.engine.project import Project
from vettle.server.app import DeclaredWhenAsked, Host, create_server
from vettle.server.toolsets import TOOLSETS


class ClockedHost(Host):
    """A host whose project knows the time from this clock alone, and nothing of the environment."""

    def __init__(self, root: Path, clock: Clock) -> None:
        super().__init__(str(root))
        self._project = Project(root, actor="agent", clock=clock, environment={})


def serving(host: ClockedHost) -> MCPServer[None]:
    """Return a server that offers every tool on the host's project; its resources are not to be read."""
    server = create_server(str(host.project.root))
    server._tool_manager = DeclaredWhenAsked(tuple(TOOLSETS), host)
    return server
