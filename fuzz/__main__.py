"""Fuzz one parser with coverage as the guide: `python -m fuzz TARGET --seconds N`; `python -m fuzz` lists them.

Needs atheris (`pip install atheris`), which has wheels for Linux only and is no dependency for that reason. A
parser may raise what its documentation says, and may not take more than a few seconds for a few kilobytes.
Anything else stops the program, which then says where it wrote the input: `python -m fuzz TARGET FILE` runs that
input again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

try:
    import atheris
except ImportError:
    sys.exit("The fuzzer needs atheris, which has wheels for Linux: pip install atheris")

with atheris.instrument_imports(include=["vettle"]):
    from pydantic import ValidationError

    from vettle.engine import paths, quarantine, similarity
    from vettle.engine.adapters import junit, tabular
    from vettle.engine.candidates import findings, journal, packs
    from vettle.engine.errors import VettleError
    from vettle.engine.exchange import glimpse, log_lines, systems
    from vettle.engine.exchange.formats import as_json, dotenv
    from vettle.engine.proposals import asking
    from vettle.renderers import blocks, globs, lock, neutral
    from vettle.renderers.imports import files, frontmatter, instructions
    from vettle.server import transport

    _SYSTEMS = {name: systems.named(name) for name in systems.NAMES}

_LONGEST = 8_192
_SECONDS_PER_INPUT = 5


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _in_file(data: bytes, suffix: str, parse: Callable[[Path], object]) -> None:
    with tempfile.TemporaryDirectory(prefix="vettle-fuzz-") as folder:
        path = Path(folder) / f"file{suffix}"
        path.write_bytes(data)
        parse(path)


def _block(data: bytes) -> None:
    """What is put in comes out again, and taking it leaves the page as it was."""
    page = blocks.parse(data, "CLAUDE.md")
    if not page.body:
        written = blocks.put(data, "- A rule.\n", path="CLAUDE.md")
        assert blocks.take(written, path="CLAUDE.md") == data


def _globs(data: bytes) -> None:
    patterns = _text(data).split("\n")[:5]
    for pattern in globs.canonical(patterns):
        assert paths.matches(pattern, globs.witness(pattern)), pattern


def _match(data: bytes) -> None:
    glob, _, path = _text(data)[:1_200].partition("\n")
    paths.matches(glob[:200], path)


def _words(data: bytes) -> None:
    text = _text(data)
    similarity.terms(text)
    similarity.rule_form(text)
    similarity.normal_form(text)


def _quarantine(data: bytes) -> None:
    text = _text(data)
    once = quarantine.redact(text)
    assert quarantine.redact(once) == once
    quarantine.reasons(text)
    quarantine.shown(text)


def _neutral(data: bytes) -> None:
    text = _text(data)
    neutral.neutral(text)
    neutral.plain(text)


def _system(name: str, suffix: str) -> Callable[[bytes], None]:
    reader = _SYSTEMS[name]

    def run(data: bytes) -> None:
        _in_file(data, suffix, lambda path: (reader.recognises(path), reader.read(path)))

    return run


TARGETS: dict[str, Callable[[bytes], object]] = {
    "instructions": lambda data: instructions.instructions(_text(data)),
    "frontmatter": lambda data: frontmatter.split(_text(data)),
    "rule-file": lambda data: _in_file(data, ".mdc", lambda path: files.read(path, "a.mdc")),
    "blocks": _block,
    "lock": lock.parse,
    "globs": _globs,
    "match": _match,
    "neutral": _neutral,
    "quarantine": _quarantine,
    "similarity": _words,
    "journal": lambda data: _in_file(data, ".md", lambda path: journal.read(path, "a.md")),
    "reviews": lambda data: _in_file(data, ".json", lambda path: findings.read(path, "a.json")),
    "reviews-markdown": lambda data: _in_file(data, ".md", lambda path: findings.read(path, "a.md")),
    "packs": lambda data: _in_file(data, ".yaml", lambda path: packs.load(str(path))),
    "junit": lambda data: _in_file(data, ".xml", lambda path: junit.JUnitAdapter().collect([path])),
    "table": lambda data: _in_file(data, ".csv", lambda path: tabular.rows([path])),
    "table-json": lambda data: _in_file(data, ".json", lambda path: tabular.rows([path])),
    "dotenv": lambda data: dotenv.parse(_text(data)),
    "export-json": lambda data: as_json.loads(_text(data)),
    "answers": lambda data: asking.read(_text(data)),
    "log": log_lines.parsed,
    "outline": lambda data: glimpse.outline_of(_text(data)),
    "request-id": lambda data: transport.request_id(_text(data)),
    "buildlog": _system("buildlog", ".json"),
    "singularity-forge": _system("singularity-forge", ".json"),
    "ordal": _system("ordal", ".jsonl"),
    "adaptive-iteration": _system("adaptive-iteration", ".jsonl"),
    "ai-experiments": _system("ai-experiments", ".jsonl"),
    "promptlooper": _system("promptlooper", ".json"),
}

ALLOWED: dict[str, tuple[type[Exception], ...]] = {
    "globs": (globs.NotPortable,),
    "log": (ValueError, RecursionError),
    "export-json": (ValueError, RecursionError),
    "answers": (asking.Unreadable,),
}
"""What a parser may raise beside a VettleError: what its documentation, or its one caller, says."""

SEEDS = (
    b"---\nglobs: ['**/*.py', src/**]\nalwaysApply: false\n---\n# Style\n\n- Always run `tests`. Never edit dist/.\n\n| a | b |\n",
    b"# Day\n\n## Improvements\n\n### Workflow\n- Sort imports. <!-- x -->\n  because\n\n```\ncode\n```\n",
    b'{"proposals":[{"kind":"rule","text":"Sort.","category":"","context":"","globs":[],"rationale":"","evidence":[]}]}',
    b'[{"config":{"a":1},"metrics":{"score":0.5},"score":0.5,"timestamp":"2026-01-01T00:00:00Z","status":"done"}]',
    b'{"severity":"minor","description":"x","rule_learned":"y","critical":[{"description":"x"}],"findings":[{"category":"x"}]}',
    b'<?xml version="1.0"?><testsuite name="a" tests="1"><testcase name="b" time="0.1"><failure>x</failure></testcase></testsuite>',
    b'unit,variant,score\na,b,1\n"c,\n",d,nan\n',
    b"name: x\nversion: 1\nrules:\n- text: Sort.\n  category: a\n  provenance: [{url: 'https://a', title: b}]\n",
    b"VETTLE_CONFIG='{\"a\":1}'\nA=1\n",
    b"password=hunter22 https://a:b@c sk-proj-abcdefghijklmnop1234 Authorization: Bearer abcdefgh12345678",
    b"**/{a,b}/[!a-c]*.py\nx/a/dd.py",
    b'{"version":1,"files":{"CLAUDE.md":{"digest":"00","rules":{"a":"b"}}}}',
    b"<!-- vettle:start -->\n- x\n<!-- vettle:end -->\n",
)


def _run(name: str, data: bytes) -> None:
    try:
        TARGETS[name](data[:_LONGEST])
    except (VettleError, *ALLOWED.get(name, ())):
        pass
    except ValidationError as error:
        raise AssertionError("a record refused what its parser let through") from error


def main() -> None:
    """Fuzz, run one input again, or list the targets."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("target", nargs="?", choices=list(TARGETS))
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--seconds", type=int, default=60)
    given = parser.parse_args()
    if not given.target:
        print("\n".join(TARGETS))
    elif given.file:
        _run(given.target, given.file.read_bytes())
    else:
        with tempfile.TemporaryDirectory(prefix="vettle-seeds-") as corpus:
            for number, seed in enumerate(SEEDS):
                (Path(corpus) / str(number)).write_bytes(seed)
            limits = [
                f"-max_total_time={given.seconds}",
                f"-timeout={_SECONDS_PER_INPUT}",
                f"-max_len={_LONGEST}",
            ]
            atheris.Setup([sys.argv[0], *limits, corpus], lambda data: _run(given.target, data))
            atheris.Fuzz()


if __name__ == "__main__":
    main()
