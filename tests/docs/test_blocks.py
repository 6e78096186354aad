"""Blocks of data and of code are what they say they are, and settings are all described."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel
from tests.docs.pages import PAGES, ROOT, Block, blocks, name

from vettle.engine.settings import Settings, TargetBudget, load

DATA = [
    block for page in PAGES for block in blocks(page) if block.language in ("json", "toml", "yaml", "python")
]
SETTINGS_PAGE = ROOT / "docs" / "settings.md"


@pytest.mark.parametrize("block", DATA, ids=lambda block: block.place)
def test_blocks_parse(tmp_path: Path, block: Block) -> None:
    """What is shown as JSON, TOML, YAML or Python is; TOML for the settings is accepted by their reader."""
    match block.language:
        case "json":
            json.loads(block.text)
        case "yaml":
            yaml.safe_load(block.text)
        case "python":
            ast.parse(block.text)
        case "toml" if tomllib.loads(block.text).keys() <= set(Settings.model_fields):
            file = tmp_path / "config.toml"
            file.write_text(block.text, encoding="utf-8")
            load(file)


def test_the_settings_page_shows_the_defaults(tmp_path: Path) -> None:
    """The big block of settings.md says what holds when nothing is set, and names every setting."""
    block = next(block for block in blocks(SETTINGS_PAGE) if block.language == "toml")
    file = tmp_path / "config.toml"
    file.write_text(block.text, encoding="utf-8")
    assert load(file) == Settings()
    shown = tomllib.loads(block.text)
    assert set(_names(Settings)) - {"render.targets"} <= {
        f"{section}.{key}" if isinstance(values, dict) else section
        for section, values in shown.items()
        for key in (values if isinstance(values, dict) else [""])
    }


def test_the_settings_page_names_what_one_target_may_set() -> None:
    """The table of a target is not among the defaults, so its keys stand in the text."""
    text = SETTINGS_PAGE.read_text(encoding="utf-8")
    assert all(f"`{key}`" in text for key in TargetBudget.model_fields)


def _names(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """Yield the full names of all settings."""
    for field, info in model.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _names(kind, f"{path}{field}.")
        else:
            yield f"{path}{field}"


def _variables() -> set[str]:
    """Return the names of the environment variables that the program reads, as its source spells them."""
    source = "\n".join(
        file.read_text(encoding="utf-8")
        for part in ("engine", "renderers", "server")
        for file in (ROOT / part).rglob("*.py")
    )
    return set(re.findall(r"[\"'](VETTLE_[A-Z_]+[A-Z])[\"']", source)) - NOT_OF_THE_ENVIRONMENT


NOT_OF_THE_ENVIRONMENT = {"VETTLE_CONFIG", "VETTLE_DOLLAR", "VETTLE_BACKTICK", "VETTLE_END", "VETTLE_EXPLORE"}
"""What an exported .env holds for programs of others, and what only the tests read."""


def test_every_environment_variable_is_described() -> None:
    """Each VETTLE_ variable that the program reads stands in a page that a person wrote, and in the table of settings.md."""
    found = _variables()
    assert "VETTLE_PROJECT" in found
    table = [
        line for line in SETTINGS_PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ]
    assert not [variable for variable in found if not any(f"`{variable}`" in line for line in table)]


def test_no_page_names_a_variable_that_is_never_read() -> None:
    """A VETTLE_ name in a page is one that the program or its tests read."""
    known = _variables() | NOT_OF_THE_ENVIRONMENT
    for page in PAGES:
        unknown = set(re.findall(r"VETTLE_[A-Z_]+[A-Z]", page.read_text(encoding="utf-8"))) - known
        assert not unknown, f"{name(page)}: {unknown}"
