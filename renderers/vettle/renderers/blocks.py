"""The managed block: the part of a user's file that vettle writes, with every byte around it left alone.

Nothing about the user's bytes is remembered elsewhere, because the block tells it all: its line ends are
the file's, a blank line before it is ours, and no line end after it means that the file had no final one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from vettle.engine.errors import EditedByHand, FilesRefused

_BEGIN = re.compile(r"<!-- BEGIN vettle rules sha256:([0-9a-f]{12}) -->")
_END_MARKER = "<!-- END vettle rules -->"
# A comment that was meant as a marker: other case, spacing or indentation, a missing dash, two on a line. Strangers
# write the files, so the time that these patterns take must not grow faster than a line does.
_NEAR_OPENING = re.compile(r"<[\s!-]*+\w+[\s:_-]{1,3}vettle[\s_-]*rules?\b", re.IGNORECASE)
_NEAR_WORDS = re.compile(r"\b(?:begin|end)\s+vettle\s+rules?\b", re.IGNORECASE)
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_FENCE_OPENING = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(`{3,}(?=[^`]*$)|~{3,})")
_FENCE_CLOSING = re.compile(r"[ \t>]*(`{3,}|~{3,})[ \t]*")
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Page:
    """A file cut at its block.

    `body` is the text between the markers, line ends as found, or None without a block: then `before` is
    the whole file. `after` starts behind the END marker, so it is "" when no line end follows. `newline`
    is what the block uses, or would use. `open_fence` is the line of a code fence that is never closed.
    """

    before: str
    body: str | None
    checksum: str
    after: str
    newline: str
    open_fence: int


@dataclass(frozen=True, slots=True)
class _Marker:
    kind: Literal["BEGIN", "END", "damaged"]
    line: int
    start: int
    stop: int
    checksum: str = ""


def parse(data: bytes, path: str) -> Page:
    """Cut the file at its block; raises FilesRefused, naming file and line, unless the markers are sound."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FilesRefused(f"{path} line {line}: not UTF-8. Convert the file, then render again.") from None
    markers, open_fence = _markers(text, path)
    if not markers:
        return Page(text, None, "", "", _majority_newline(text), open_fence)
    begin, end = _pair(markers, path)
    newline = "\r\n" if text.startswith("\r\n", begin.stop) else "\n"
    body = text[begin.stop + len(newline) : end.start]
    return Page(text[: begin.start], body, begin.checksum, text[end.stop :], newline, open_fence)


def put(data: bytes, body: str, *, path: str, force: bool = False) -> bytes:
    """Return the file with `body` in its block, which is appended after a blank line if there is none.

    `body` has LF line ends and ends with one. Raises EditedByHand when the text inside the block is not
    the text that vettle wrote, unless `force`.
    """
    page = parse(data, path)
    block = page.newline.join((f"<!-- BEGIN vettle rules sha256:{_checksum(body)} -->", *body.split("\n")))
    block += _END_MARKER
    if page.body is not None:
        _check_unedited(page, path, force)
        return (page.before + block + page.after).encode()
    if page.open_fence:
        raise FilesRefused(
            f"{path} line {page.open_fence}: a code fence is opened and never closed, so text added at the end "
            "would be code. Close the fence, then render again."
        )
    if not page.before.removeprefix(_BOM):
        return (page.before + block + page.newline).encode()
    if page.before.endswith("\n"):
        return (page.before + page.newline + block + page.newline).encode()
    return (page.before + page.newline * 2 + block).encode()


def take(data: bytes, *, path: str, force: bool = False) -> bytes:
    """Return the file without its block: the bytes it had before `put` added one."""
    page = parse(data, path)
    if page.body is None:
        return data
    _check_unedited(page, path, force)
    if not page.after:
        return page.before.removesuffix(page.newline * 2).encode()
    without_blank_line = page.before.removesuffix(page.newline)
    before = without_blank_line if without_blank_line.endswith("\n") else page.before
    return (before + page.after.removeprefix(page.newline)).encode()


def written_body(data: bytes, path: str) -> str | None:
    """Return the text of the block with LF line ends, or None without one; raises EditedByHand if it was edited."""
    page = parse(data, path)
    _check_unedited(page, path, force=False)
    return None if page.body is None else page.body.replace("\r\n", "\n")


def _checksum(body: str) -> str:
    return hashlib.sha256(body.replace("\r\n", "\n").encode()).hexdigest()[:12]


def _check_unedited(page: Page, path: str, force: bool) -> None:
    if page.body is not None and _checksum(page.body) != page.checksum and not force:
        raise EditedByHand(
            f"edited by hand: the block in {path} is not as vettle wrote it. Move your text out of the block, "
            "take it over with --adopt, or overwrite it with force."
        )


def _majority_newline(text: str) -> str:
    windows = text.count("\r\n")
    return "\r\n" if windows > text.count("\n") - windows else "\n"


def _lines(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield number, offset and content of each line, past a byte order mark and without its line end."""
    skipped = len(_BOM) if text.startswith(_BOM) else 0
    for number, match in enumerate(_LINE.finditer(text, skipped), start=1):
        yield number, match.start(), match[0].removesuffix("\n").rstrip("\r")


def _markers(text: str, path: str) -> tuple[list[_Marker], int]:
    """Return the markers, and the line of a code fence that is never closed (0 if none); refuse fenced markers."""
    found: list[_Marker] = []
    fence, opened = "", 0
    for number, start, line in _lines(text):
        marker = _marker(number, start, line)
        closing = _FENCE_CLOSING.fullmatch(line)
        if fence and closing and closing[1].startswith(fence):
            fence, opened = "", 0
        elif fence and marker:
            raise FilesRefused(
                f"{path} line {number}: a vettle marker stands in the code fence that line {opened} opens. Take it out "
                "of the fence, or delete it, then render again."
            )
        elif not fence and (opening := _FENCE_OPENING.match(line)):
            fence, opened = opening[1], number
        elif marker:
            found.append(marker)
    return found, opened


def _marker(number: int, start: int, line: str) -> _Marker | None:
    if begin := _BEGIN.fullmatch(line):
        return _Marker("BEGIN", number, start, start + len(line), begin[1])
    if line == _END_MARKER:
        return _Marker("END", number, start, start + len(line))
    return _Marker("damaged", number, start, start) if _is_near_miss(line) else None


def _is_near_miss(line: str) -> bool:
    before_end = max(line.rfind("-->"), 0)
    return bool(_NEAR_OPENING.search(line) or _NEAR_WORDS.search(line, 0, before_end))


def _pair(markers: list[_Marker], path: str) -> tuple[_Marker, _Marker]:
    """Return BEGIN and END, or refuse: repairing a guess could delete the user's text."""
    kinds = [marker.kind for marker in markers]
    if kinds == ["BEGIN", "END"]:
        return markers[0], markers[1]
    if "damaged" in kinds:
        line, problem = (
            markers[kinds.index("damaged")].line,
            "this is almost a vettle marker, but not exactly",
        )
    elif kinds[0] == "END":
        line, problem = markers[0].line, "an END marker without a BEGIN marker before it"
    elif kinds == ["BEGIN"]:
        line, problem = markers[0].line, "a BEGIN marker without an END marker after it"
    else:
        surplus = 1 if kinds[1] == "BEGIN" else 2
        line, problem = markers[surplus].line, "a second vettle marker where one block is the most"
    raise FilesRefused(
        f"{path} line {line}: {problem}. Keep one pair of whole lines from '<!-- BEGIN vettle rules sha256:... -->' "
        f"to '{_END_MARKER}', or delete all of it, then render again."
    )
