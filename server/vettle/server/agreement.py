"""Asking the person in front of the client, for what no agent may decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import Elicit, Resolve
from pydantic import BaseModel, Field

from vettle.engine import rules
from vettle.engine.errors import VettleError
from vettle.engine.project import Project
from vettle.engine.records import RuleAction

ARGUMENT = "agreement"
"""The name under which a tool's function gets what the person said; no client sees it."""


class Agreement(BaseModel):
    """What a person answers."""

    agree: bool = Field(default=False, description="Yes, I want this.")


def asks(project: Callable[[], Project]) -> Any:
    """Return the annotation of an argument that a person fills in, if the decision needs one."""

    def ask(
        context: Context[Any, Any], rule_id: str, action: RuleAction, text: str
    ) -> Elicit[Agreement] | Agreement:
        """Ask, unless an agent may decide, or the client cannot ask: then nobody has agreed."""
        if not _can_ask(context):
            return Agreement()
        try:
            question = rules.question(project(), rule_id=rule_id, action=action, text=text)
        except VettleError as error:
            raise ToolError(str(error)) from error
        return Elicit(question, Agreement) if question else Agreement()

    return Annotated[ElicitationResult[Agreement], Resolve(ask)]


def has_agreed(answer: ElicitationResult[Agreement]) -> bool:
    """Tell whether a person said yes; closing the question is a no."""
    return isinstance(answer, AcceptedElicitation) and answer.data.agree


def _can_ask(context: Context[Any, Any]) -> bool:
    capabilities = context.client_capabilities
    elicitation = capabilities.elicitation if capabilities else None
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)
