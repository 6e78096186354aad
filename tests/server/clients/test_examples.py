"""The examples in the documentation are what `vettle init` writes, and are read by what it reads with."""

from __future__ import annotations

from pathlib import Path

import pytest

from vettle.server.clients.catalogue import CLIENTS, NAME, NAMES, Client, find
from vettle.server.clients.entries import entry, snippet
from vettle.server.clients.formats import FORMATS
from vettle.server.clients.place import Place

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/connecting.md").read_text(encoding="utf-8")
PLACE = Place(Path("/path/to/project"), Path("/home/you"), {}, "linux")
LAUNCH = ("/path/to/vettle",)


def _example(client: Client) -> Path:
    return ROOT / "docs/examples" / f"{client.name}.{client.format}"


@pytest.mark.parametrize("client", CLIENTS, ids=NAMES)
def test_an_example_is_what_init_would_write(client: Client) -> None:
    """Word for word, and the reader that init uses finds the entry in it."""
    text = _example(client).read_text(encoding="utf-8")
    assert text == snippet(client, PLACE, LAUNCH)[1]
    private = client.location(user=False).base != "project"
    found = FORMATS[client.format].servers(text, client.keys)
    assert found == {NAME: entry(client, PLACE, LAUNCH, user=private)}


def test_there_is_an_example_of_every_client_and_of_no_other() -> None:
    """A client that is added gets one, and one that goes takes it along."""
    assert {file.name for file in (ROOT / "docs/examples").iterdir()} == {
        _example(client).name for client in CLIENTS
    }


def test_the_example_at_the_root_is_that_of_claude_code() -> None:
    """mcp.json.example can be copied to .mcp.json."""
    (claude,) = find(["claude"])
    assert (ROOT / "mcp.json.example").read_text(encoding="utf-8") == _example(claude).read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize("client", CLIENTS, ids=NAMES)
def test_the_page_names_every_file_and_every_hint(client: Client) -> None:
    """A reader finds the client by its name, each file it can be written to, and the example."""
    assert client.title.partition(" (")[0] in PAGE
    assert f"`vettle init {client.name}`" in PAGE
    assert f"examples/{_example(client).name}" in PAGE
    paths = {"home": "~/{}", "roaming": "~/.config/{}", "settings": "~/.config/{}", "project": "{}"}
    for location in client.locations:
        assert f"`{paths[location.base].format(location.path)}`" in PAGE
