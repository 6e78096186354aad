"""One module per format: read the servers in a text, put one in, take one out, and touch nothing else."""

from __future__ import annotations

from vettle.server.clients.catalogue import FormatName
from vettle.server.clients.formats.base import Format
from vettle.server.clients.formats.json_members import JSON
from vettle.server.clients.formats.toml_tables import TOML
from vettle.server.clients.formats.yaml_file import YAML

FORMATS: dict[FormatName, Format] = {"json": JSON, "toml": TOML, "yaml": YAML}
