"""Options that several commands take with the same meaning."""

from __future__ import annotations

import click

from vettle.server.commands.completing import known

PERIOD = click.option("--period", default="30d", show_default=True, help='Days such as "7d", or "all".')
CONTEXT = click.option(
    "--context", default="", help="Only this kind of work.", shell_complete=known("context")
)
CURSOR = click.option("--cursor", default="", help="Where the page before ended.")
