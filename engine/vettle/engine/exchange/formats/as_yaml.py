"""A best configuration as YAML that every reader takes alike: text is always quoted, so "no" stays a word.

Numbers that are not finite are YAML's own `.nan`, `.inf` and `-.inf`.
"""

from __future__ import annotations

import sys
from typing import Any

import yaml

from vettle.engine.exchange.formats import MARK, payload
from vettle.engine.exchange.formats.as_json import dumps
from vettle.engine.records.exports import BestConfiguration


class _Dumper(yaml.SafeDumper):
    """Writes every text in double quotes, where all characters have an escape, and every value in full."""

    def ignore_aliases(self, data: Any) -> bool:
        """Repeat what occurs twice: an anchor would be one more thing that a reader has to know."""
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"')


_Dumper.add_representer(str, _text)


def render(best: BestConfiguration) -> str:
    """Return the whole record as YAML; the configuration is under "config"."""
    body = yaml.dump(payload(best), Dumper=_Dumper, sort_keys=False, width=sys.maxsize)
    return f"# {MARK}: {dumps(best.experiment_name)}\n{body}"


def parse(text: str) -> dict[str, Any]:
    """Return the configuration of a rendered text, exactly as it was."""
    return dict(yaml.safe_load(text)["config"])
