"""The layout: one namespace, one direction of imports, nothing heavy where it would be felt."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import vettle

ROOT = Path(__file__).parents[1]
MAY_IMPORT: dict[str, set[str]] = {
    "engine": set(),
    "renderers": {"engine"},
    "server": {"engine", "renderers"},
}


def test_the_three_source_roots_share_one_namespace() -> None:
    """No `vettle/__init__.py` hides the other parts."""
    assert getattr(vettle, "__file__", None) is None
    assert not list(ROOT.glob("*/vettle/__init__.py"))


def _imported_parts(file: Path) -> set[str]:
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    modules = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    modules += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return {module.split(".")[1] for module in modules if module.startswith("vettle.")}


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_parts_depend_in_one_direction_only(part: str) -> None:
    """The engine knows neither renderers nor server, and renderers know only the engine."""
    found: set[str] = set().union(*map(_imported_parts, (ROOT / part).rglob("*.py")))
    assert found - {part} <= MAY_IMPORT[part]


def _imported_packages(file: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    modules = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return {module.split(".")[0] for module in modules}


def test_the_engine_knows_neither_mcp_nor_the_command_line() -> None:
    """No module of the engine or of the renderers imports mcp or click."""
    for part in ("engine", "renderers"):
        for file in (ROOT / part).rglob("*.py"):
            assert not _imported_packages(file) & {"mcp", "click"}, file


def test_only_one_package_opens_the_database() -> None:
    """Apsw is imported by the SQLite driver and by nothing else."""
    users = {
        file.parent
        for part in MAY_IMPORT
        for file in (ROOT / part).rglob("*.py")
        if _imported_packages(file) & {"apsw", "sqlite3"}
    }
    assert users == {ROOT / "engine" / "vettle" / "engine" / "store" / "sqlite"}


def _loaded(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_help_loads_nothing_heavy() -> None:
    """`vettle --help` imports neither mcp nor numpy nor pydantic."""
    code = "from click.testing import CliRunner; from vettle.server.cli import cli; CliRunner().invoke(cli, ['--help'])"
    assert not _loaded(code) & {"mcp", "numpy", "pydantic", "openai"}


def test_the_server_starts_without_numpy() -> None:
    """Building the server, up to the handshake, does not import numpy."""
    assert "numpy" not in _loaded("from vettle.server.app import create_server; create_server()")


def test_a_mistake_is_logged_without_numpy(tmp_path: Path) -> None:
    """Commands that do not learn do not pay for numpy or mcp."""
    code = (
        "import sys; from pathlib import Path; from vettle.server.commands import operations;"
        "from vettle.engine.project import Project; from vettle.engine import mistakes;"
        f"mistakes.log(Project(Path({str(tmp_path)!r})), error_class='a', description='b')"
    )
    assert not _loaded(code) & {"numpy", "mcp"}
