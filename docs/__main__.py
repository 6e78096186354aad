"""Write everything that is generated: `python -m docs`, or `python -m docs --check` to compare only.

Generated are index.md, tools.md, records.md and commands.md in docs/, and in server.json and mcpb/manifest.json the
version and the list of tools. With --check it exits with 1 and names the files that are stale.
"""

from __future__ import annotations

import sys

from docs.generator import ROOT, generated


def main(check: bool) -> int:
    """Write what is stale, or only name it; return the exit code."""
    found = False
    for path, text in generated().items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        found = True
        name = path.relative_to(ROOT)
        if check:
            sys.stderr.write(f"{name} is stale. Run: python -m docs\n")
        else:
            path.write_text(text, encoding="utf-8")
            sys.stderr.write(f"{name} written\n")
    return int(check and found)


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
