"""What a tool is: an operation that vettle offers, declared once.

Each is a plain function: the project, then typed and documented arguments, then a record. The MCP server
(`app`) and the command line (`cli`) take names, schemas, help and defaults from these signatures. A
docstring is what an agent reads: what the tool does, when to call it, what comes back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from vettle.engine.arguments import Identifier, Reference

ResponseFormat = Literal["concise", "detailed"]
ClientRef = Annotated[Reference, Field(description="Retry key: recorded once.")]
SessionId = Annotated[Identifier, Field(description='"" means the only open one.')]

REPORT = "vettle://report"
"""The resource that is the whole project on one HTML page."""


@dataclass(frozen=True)
class Tool:
    """An operation with what its signature cannot say: a title, and what calling it does to the world."""

    function: Callable[..., Any]
    title: str
    reads_only: bool = False
    destroys: bool = False
    idempotent: bool = False
    needs_person: bool = False
    reaches_out: bool = False
    links_to_report: bool = False
    snapshot: Literal["", "start", "end"] = ""
    """Of which moment of the answer's session the files are kept, once it is recorded (`git.snapshots`)."""

    @property
    def name(self) -> str:
        """The name under which agents call it."""
        return self.function.__name__
