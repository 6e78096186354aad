"""A command that only holds others, such as `vettle session`."""

from __future__ import annotations

import inspect
import re

import click

USAGE = 2

_END = re.compile(r"[.:;](?=\s|$)")
"""What ends a sentence, or the part of it that says what a command does."""


class Group(click.Group):
    """A group that lists each command with the first sentence behind its example, and alone says what it has."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Take a command in."""
        cmd.short_help = cmd.short_help or _summary(cmd.help or "")
        super().add_command(cmd, name)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what was typed; without a command that is wrong usage, and the help on stderr is the answer."""
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help(), err=True)
            ctx.exit(USAGE)
        return super().parse_args(ctx, args)


def _summary(help_text: str) -> str:
    """Return the first sentence of a command's help behind the example that it begins with."""
    example, _, said = inspect.cleandoc(help_text).partition("\n\n")
    return f"{_END.split(' '.join((said or example).split()), maxsplit=1)[0]}."
