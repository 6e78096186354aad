"""server.json and the bundle: valid by the programs of those who will read them, and the bundle's server starts."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcpb.__main__ import stage
from tests.docs.pages import ROOT

MCPB = "@anthropic-ai/mcpb@2.1.2"
_CACHE = ROOT / ".pytest_cache" / "peers"


def _json(path: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((ROOT / path).read_text(encoding="utf-8"))
    return document


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project


def test_the_version_is_the_same_everywhere() -> None:
    """pyproject.toml, server.json (twice) and the bundle name one version."""
    server = _json("server.json")
    versions = {_project()["version"], server["version"], server["packages"][0]["version"]}
    assert versions == {_json("mcpb/manifest.json")["version"]}


def test_server_json_fits_the_registrys_schema() -> None:
    """The schema is the released one of 2025-12-11, which skillsaw (a linter of our tests) carries with it."""
    folder = files("skillsaw") / "schemas" / "mcp_registry" / "v2025_12_11"
    schema = json.loads((folder / "server.schema.json").read_text(encoding="utf-8"))
    document = _json("server.json")
    assert document["$schema"] == schema["$id"]
    validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
    validator.validate(document)
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(document | {"description": "x" * 101})


def test_server_json_passes_the_registrys_publishing_rules(tmp_path: Path) -> None:
    """A linter that is not ours finds nothing to object to, and does object to a version range."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    document = _json("server.json")
    for version, code in ((document["version"], 0), ("^0.1.0", 1)):
        (tmp_path / "server.json").write_text(json.dumps(document | {"version": version}), encoding="utf-8")
        linter = [str(Path(sys.executable).with_name("skillsaw")), "lint", "--strict", str(tmp_path)]
        done = subprocess.run(linter, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == code, done.stdout + done.stderr


def test_the_registry_finds_its_name_in_the_readme() -> None:
    """Whoever publishes the package owns the name: the registry looks for this line in the package's description."""
    readme = (ROOT / _project()["readme"]).read_text(encoding="utf-8")
    assert re.search(rf"mcp-name: {re.escape(_json('server.json')['name'])}\s", readme)


def _mcpb() -> Path:
    """Return the program that packs bundles, installed once."""
    if shutil.which("npm") is None and not os.environ.get("CI"):
        pytest.skip("npm is not there")
    home = _CACHE / f"npm-{hashlib.sha256(MCPB.encode()).hexdigest()[:16]}"
    if not home.exists():
        unfinished = home.with_name(f"{home.name}.{secrets.token_hex(4)}")
        unfinished.mkdir(parents=True)
        try:
            install = [
                "npm",
                "install",
                "--silent",
                "--no-audit",
                "--no-fund",
                "--prefix",
                str(unfinished),
                MCPB,
            ]
            subprocess.run(install, check=True, timeout=240)
            unfinished.rename(home)
        except OSError:
            # Another process was faster, and what it made is as good.
            if not home.exists():
                raise
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return home / "node_modules" / ".bin" / "mcpb"


def _run(program: Path, *arguments: object) -> str:
    done = subprocess.run(
        [program, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.asyncio
async def test_the_bundle_packs_and_its_server_starts(tmp_path: Path) -> None:
    """The real program validates, packs and unpacks it, and the server inside offers the tools that it names.

    A client runs it with uv, which installs what pyproject.toml there requires. Here the environment of the tests has
    that already, so only the source comes from the bundle.
    """
    program = _mcpb()
    stage(tmp_path / "folder")
    assert "validation passes" in _run(program, "validate", tmp_path / "folder" / "manifest.json")
    _run(program, "pack", tmp_path / "folder", tmp_path / "vettle.mcpb")
    assert (tmp_path / "vettle.mcpb").stat().st_size < 2_000_000
    inside = tmp_path / "inside"
    _run(program, "unpack", tmp_path / "vettle.mcpb", inside)
    manifest = json.loads((inside / "manifest.json").read_text(encoding="utf-8"))
    project = tmp_path / "project"
    project.mkdir()
    async with Client(_started_as(manifest, inside, project)) as client:
        offered = [tool.name for tool in (await client.list_tools()).tools]
        answer = await client.call_tool("status", {})
    assert offered == [tool["name"] for tool in manifest["tools"]]
    assert answer.structured_content is not None
    assert answer.structured_content["project"] == str(project)


def _started_as(manifest: dict[str, Any], inside: Path, project: Path) -> StdioServerParameters:
    """Return how a client starts the server: `uv run --directory BUNDLE vettle ...`, with the user's answers filled in."""
    server, asked = manifest["server"], manifest["user_config"]
    values = {"__dirname": str(inside), "user_config.project_folder": str(project)}
    values |= {f"user_config.{key}": entry["default"] for key, entry in asked.items() if "default" in entry}
    command = [
        server["mcp_config"]["command"],
        *(_filled(word, values) for word in server["mcp_config"]["args"]),
    ]
    assert command[:5] == ["uv", "run", "--directory", str(inside), "vettle"]
    environment = {key: _filled(text, values) for key, text in server["mcp_config"]["env"].items()}
    sources = [str(inside / part) for part in ("engine", "renderers", "server")]
    return StdioServerParameters(
        command=sys.executable,
        args=[str(inside / server["entry_point"]), *command[5:]],
        env={
            **environment,
            "PYTHONPATH": os.pathsep.join(sources),
            "HOME": str(project),
            "PATH": os.environ["PATH"],
        },
        cwd=inside,
    )


def _filled(text: str, values: dict[str, str]) -> str:
    for key, value in values.items():
        text = text.replace(f"${{{key}}}", value)
    return text
