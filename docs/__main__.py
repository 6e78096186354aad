"""Write everything that is generated: `python -m docs`, or `python -m docs --check` to compare only.

Generated are index.md, tools.md, records.md and commands.md in docs/, and in server.json and mcpb/manifest.json the
version and the list of tools. With --check it exits with 1 and names the files that are stale.
`python -m docs --picture` makes README's picture anew, which takes a browser and half a minute.
"""

from __future__ import annotations

import argparse
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


def photograph() -> int:
    """Make README's picture of the demo's report; return the exit code, 1 without a browser."""
    from docs.generator import browser, picture

    executable = browser.find()
    if not executable:
        sys.stderr.write(f"{browser.MISSING}\n")
        return 1
    picture.make(picture.report(), picture.PICTURE, executable)
    sys.stderr.write(f"{picture.PICTURE.relative_to(ROOT)} written\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m docs", description="Write everything that is generated.")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--check", action="store_true", help="name what is stale, and write nothing")
    only.add_argument("--picture", action="store_true", help="make README's picture of the report instead")
    return parser.parse_args()


if __name__ == "__main__":
    given = _arguments()
    sys.exit(photograph() if given.picture else main(given.check))
