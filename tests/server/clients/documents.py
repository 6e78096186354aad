"""Configurations as people write them, for hypothesis: JSON with comments and commas anywhere, TOML in pieces."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

COMMENTS = ("// c, } {\n", '/* "vettle": { , */', "// é\r\n", "/**/")
_BETWEEN = st.lists(st.sampled_from((" ", "\n", "\t", "\r\n", "", *COMMENTS)), max_size=3).map("".join)
_NAMES = st.text(max_size=5).filter(lambda name: name != "vettle")
_ATOMS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
)
VALUES = st.recursive(
    _ATOMS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_NAMES, inner, max_size=2),
    max_leaves=4,
)
SERVERS = st.dictionaries(_NAMES, VALUES, max_size=3)
ENTRY = {"type": "stdio", "command": 'C:\\Program Files\\v"ettle.exe', "args": ["serve", "é"]}


@st.composite
def jsonc(draw: st.DrawFn, *, with_servers: bool | None = None) -> tuple[str, dict[str, Any]]:
    """Draw a text and what it means; `with_servers` says whether it has an object of servers (None: perhaps)."""
    data: dict[str, Any] = draw(
        st.dictionaries(_NAMES.filter(lambda name: name != "mcpServers"), VALUES, max_size=2)
    )
    if with_servers or (with_servers is None and draw(st.booleans())):
        data["mcpServers"] = draw(SERVERS)
        order = draw(st.permutations(list(data)))
        data = {name: data[name] for name in order}
    between = itertools.cycle(draw(st.lists(_BETWEEN, min_size=1, max_size=9)))
    commas = itertools.cycle(draw(st.lists(st.booleans(), min_size=1, max_size=4)))
    mark = draw(st.sampled_from(("", "\ufeff")))
    return mark + next(between) + "".join(_written(data, between, commas)) + next(between), data


def _written(value: Any, between: Iterator[str], commas: Iterator[bool]) -> Iterator[str]:
    if not isinstance(value, dict | list):
        # Not escaped: json5 does not join the halves of an escaped pair.
        yield json.dumps(value, ensure_ascii=False)
        return
    yield "{" if isinstance(value, dict) else "["
    for number, one in enumerate(value):
        yield "," + next(between) if number else next(between)
        if isinstance(value, dict):
            yield json.dumps(one, ensure_ascii=False) + next(between) + ":" + next(between)
        yield from _written(value[one] if isinstance(value, dict) else one, between, commas)
        yield next(between)
    if value and next(commas):
        yield "," + next(between)
    else:
        yield next(between)
    yield "}" if isinstance(value, dict) else "]"


_PIECES = (
    "# a comment\n",
    "\n",
    'title = "x" # [mcp_servers.vettle]\n',
    "[a]\nb = [\n  1, # one\n]\n",
    "[[fruit]]\nname = 'apple'\n",
    '[mcp_servers.other]\ncommand = "x"\n[mcp_servers.other.env]\nTOKEN = "s"\n',
    "[mcp_servers]\n",
    '[c.d]\ntext = """\n[mcp_servers.vettle]\n"""\n',
)
_ROOM = ("", "\n", "# the end", "\n\n")


@st.composite
def toml(draw: st.DrawFn) -> str:
    """Draw a text of tables in any order, with any line ends."""
    pieces = draw(st.lists(st.sampled_from(_PIECES), unique=True, max_size=6))
    # A bare key belongs before the first table.
    pieces.sort(key=lambda piece: piece.startswith("["))
    if "[mcp_servers]\n" in pieces:
        pieces.remove("[mcp_servers]\n")
        pieces.append("[mcp_servers]\n")
    text = "".join(pieces) + draw(st.sampled_from(_ROOM))
    return draw(st.sampled_from(("", "\ufeff"))) + text.replace("\n", draw(st.sampled_from(("\n", "\r\n"))))
