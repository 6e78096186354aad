"""The hooks of an assistant: what was written where, so that it calls vettle."""

from __future__ import annotations

from typing import Literal

from vettle.engine.records.base import Record


class HooksInstalled(Record):
    """The answer to `vettle hook install`. `diff` is "" where nothing changes; `hint` is what a person does next."""

    client: str
    title: str
    file: str
    action: Literal["create", "update", "unchanged", "remove", "delete"]
    events: list[str]
    applied: bool
    diff: str
    hint: str
