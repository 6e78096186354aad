import hashlib
import re
import time
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from vettle.engine.errors import EditedByHand, FilesRefused
from vettle.renderers.blocks import parse, put, take
from vettle.renderers.repository import look

BODY = "## Learned rules\n\n- Be kind.\n"
OTHER_BODY = "## Learned rules\n\n- Be kind.\n- Be brief.\n"
CHECKSUM = hashlib.sha256(BODY.encode()).hexdigest()[:12]
BEGIN = f"<!-- BEGIN vettle rules sha256:{CHECKSUM} -->"
END = "<!-- END vettle rules -->"
BLOCK = f"{BEGIN}\n{BODY}{END}"

WORDS = "text # - ``` ~~~ ```` > \ufeff é @AGENTS.md --- \x0b"
PIECES = st.sampled_from(
    ["\n", "\r\n", "\r", " ", "\t", "\x0c", "\u2028", "<!-- note -->", "1. ```sh", *WORDS.split(" ")]
)
FILES = st.one_of(
    st.lists(PIECES, max_size=14).map(lambda pieces: "".join(pieces).encode()),
    st.text(alphabet=st.characters(codec="utf-8"), max_size=30).map(str.encode),
)


def put_or_assume(data: bytes, body: str = BODY) -> bytes:
    """Put a block in, or tell hypothesis to try another file when an open fence forbids it."""
    try:
        return put(data, body, path="CLAUDE.md")
    except FilesRefused as error:
        assume("code fence" not in str(error))
        raise


@settings(max_examples=800, deadline=None)
@example(b"")
@example(b"\n")
@example(b"\r\n")
@example(b"x")
@example(b"x\n\n")
@example(b"\xef\xbb\xbf")
@example(b"\xef\xbb\xbfx\r\ny")
@example(b"a\r\nx\r")
@given(FILES)
def test_removing_the_block_restores_every_byte(data: bytes) -> None:
    """Put and then take gives back the file, whatever its line ends, its mark and its last line."""
    assert take(put_or_assume(data), path="CLAUDE.md") == data


@settings(max_examples=400, deadline=None)
@given(FILES)
def test_updates_keep_every_byte_around_the_block(data: bytes) -> None:
    """Updating is stable, leaves the file's start alone, and still comes off without a trace."""
    first = put_or_assume(data)
    second = put(first, OTHER_BODY, path="CLAUDE.md")
    assert first.startswith(data)
    assert second.startswith(data)
    assert put(second, OTHER_BODY, path="CLAUDE.md") == second
    assert put(second, BODY, path="CLAUDE.md") == first
    assert take(second, path="CLAUDE.md") == data


@settings(max_examples=400, deadline=None)
@given(FILES, FILES)
def test_text_after_the_block_survives(data: bytes, added: bytes) -> None:
    """What the user writes behind the block stays, byte for byte, through an update and a removal."""
    assume(b"\xef\xbb\xbf" not in added)
    page = put_or_assume(data + b"\n") + b"\n" + added
    assume(parse(page, "CLAUDE.md").body is not None)
    assert put(page, OTHER_BODY, path="CLAUDE.md").endswith(b"\n" + added)
    assert take(page, path="CLAUDE.md") == data + b"\n\n" + added


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"{BLOCK}\n"),
        ("# Mine\n", f"# Mine\n\n{BLOCK}\n"),
        ("# Mine", f"# Mine\n\n{BLOCK}"),
        ("\ufeff# Mine\n", f"\ufeff# Mine\n\n{BLOCK}\n"),
        ("a\r\nb\r\nc\n", "a\r\nb\r\nc\n\r\n" + f"{BLOCK}\n".replace("\n", "\r\n")),
        ("```\ncode\n```\n", f"```\ncode\n```\n\n{BLOCK}\n"),
    ],
)
def test_where_the_block_goes(before: str, after: str) -> None:
    """The block is appended after one blank line, in the file's own line ends."""
    assert put(before.encode(), BODY, path="CLAUDE.md").decode() == after


def test_line_ends_do_not_count_as_an_edit() -> None:
    """A file that git checked out with other line ends still carries our block."""
    windows = put(b"# Mine\n", BODY, path="CLAUDE.md").replace(b"\n", b"\r\n")
    assert put(windows, BODY, path="CLAUDE.md") == windows
    assert take(windows, path="CLAUDE.md") == b"# Mine\r\n"


DAMAGED = {
    "no END": (f"text\n{BEGIN}\n{BODY}", 2),
    "no BEGIN": (f"text\n{BODY}{END}\n", 5),
    "swapped": (f"{END}\n{BODY}{BEGIN}\n", 1),
    "two blocks": (f"{BLOCK}\n\n{BLOCK}\n", 7),
    "two BEGIN": (f"{BEGIN}\n{BLOCK}\n", 2),
    "two END": (f"{BLOCK}\n{END}\n", 6),
    "indented": (f"{BLOCK}\n".replace(BEGIN, "  " + BEGIN), 1),
    "on one line": (f"{BEGIN}{END}\n", 1),
    "trailing space": (f"{BLOCK} \n", 5),
    "other case": (f"{BLOCK}\n".replace("BEGIN", "begin"), 1),
    "no hash": (f"{BLOCK}\n".replace(f" sha256:{CHECKSUM}", ""), 1),
    "no spaces": (f"{BLOCK}\n".replace("<!-- END", "<!--END"), 5),
    "misspelt": (f"{BLOCK}\n".replace("BEGIN", "BEGN"), 1),
    "other name": (f"{BLOCK}\n".replace("END vettle rules", "END vettle-rule"), 5),
    "in a fence": (f"```\n{BLOCK}\n```\n", 2),
    "in a fence beside a sound block": (f"{BLOCK}\n\n~~~md\n{BLOCK}\n~~~\n", 8),
    "in an open fence": (f"```\n{BLOCK}\n", 2),
    "behind an open fence's end": (f"```\n```\n```\n{BLOCK}\n", 4),
}


@pytest.mark.parametrize("case", DAMAGED)
@pytest.mark.parametrize("force", [False, True])
def test_damaged_markers_are_refused(case: str, force: bool) -> None:
    """Markers that are not one sound pair are refused with file and line, even by force, never repaired."""
    text, line = DAMAGED[case]
    with pytest.raises(FilesRefused, match=re.escape(f"CLAUDE.md line {line}:")) as put_error:
        put(text.encode(), BODY, path="CLAUDE.md", force=force)
    with pytest.raises(FilesRefused):
        take(text.encode(), path="CLAUDE.md", force=force)
    assert not isinstance(put_error.value, EditedByHand)


@pytest.mark.parametrize(
    "text",
    [
        "At the end vettle rules are appended.\n",
        "<b>vettle rules</b> are ours\n",
        "1. ```sh\n   ls\n   ```\n",
        "- use ```inline``` code\n",
        "~~~\n```\n~~~\n",
        "````\n```\n````\n",
    ],
)
def test_ordinary_text_is_not_taken_for_a_marker_or_an_open_fence(text: str) -> None:
    """Prose about the rules and closed fences of every shape do not stop rendering."""
    assert take(put(text.encode(), BODY, path="CLAUDE.md"), path="CLAUDE.md") == text.encode()


def test_an_open_fence_is_refused() -> None:
    """Nothing is appended where it would become part of the user's code."""
    with pytest.raises(FilesRefused, match=r"CLAUDE\.md line 2: a code fence"):
        put(b"text\n```sh\nls\n", BODY, path="CLAUDE.md")


@pytest.mark.parametrize("data", [b"\xff\xfe#\x00", b"ok\nna\xefve\n"])
def test_other_encodings_are_refused(data: bytes) -> None:
    """A file that is not UTF-8 is refused with the line of the first bad byte."""
    with pytest.raises(FilesRefused, match=r"line \d: not UTF-8"):
        put(data, BODY, path="CLAUDE.md")


def test_an_edit_inside_the_block_is_refused_unless_forced() -> None:
    """A changed block is somebody's work: it is refused, and only force overwrites or removes it."""
    edited = put(b"# Mine\n", BODY, path="CLAUDE.md").replace(b"kind", b"rude")
    with pytest.raises(EditedByHand, match=r"^edited by hand: the block in CLAUDE\.md"):
        put(edited, OTHER_BODY, path="CLAUDE.md")
    with pytest.raises(EditedByHand, match=r"^edited by hand: the block in CLAUDE\.md"):
        take(edited, path="CLAUDE.md")
    assert put(edited, BODY, path="CLAUDE.md", force=True) == put(b"# Mine\n", BODY, path="CLAUDE.md")
    assert take(edited, path="CLAUDE.md", force=True) == b"# Mine\n"


def test_a_missing_blank_line_never_joins_two_lines() -> None:
    """Where the user closed the gap before the block, removing it keeps the lines apart."""
    page = f"above\n{BLOCK}\nbelow\n".encode()
    assert take(page, path="CLAUDE.md") == b"above\nbelow\n"


@pytest.mark.parametrize(
    "text",
    [
        "<" + " " * 50_000 + "x",
        "<!" + "- " * 50_000,
        "<" + "_" * 50_000,
        "begin vettle rules " * 5_000,
        "begin" + " " * 50_000,
        "<!--" * 50_000,
        "<!-- " + "a" * 50_000,
        "`" * 50_000 + "x",
    ],
    ids=lambda text: text[:20].strip(),
)
def test_a_strangers_file_takes_no_more_time_than_its_length(tmp_path: Path, text: str) -> None:
    """`vettle status` reads these files, so that no line in them may keep it for seconds."""
    (tmp_path / "CLAUDE.md").write_text(text)
    began = time.process_time()
    assert parse(text.encode(), "CLAUDE.md").body is None
    assert look(tmp_path).texts["CLAUDE.md"] == text
    assert time.process_time() - began < 1
