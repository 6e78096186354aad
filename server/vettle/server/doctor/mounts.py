"""What kind of file system a folder lies on."""

from __future__ import annotations

from pathlib import Path

_TABLE = Path("/proc/self/mounts")


def file_system(folder: Path, platform: str, table: Path = _TABLE) -> str:
    r"""Return the kind of file system ("ext4", "nfs4"), "cifs" for \\server\share, "" where nothing tells."""
    if platform == "win32":
        return "cifs" if str(folder).startswith("\\\\") else ""
    try:
        rows = table.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    kinds = {_unescaped(fields[1]): fields[2] for row in rows if len(fields := row.split()) > 2}
    above = folder.resolve()
    return next((kinds[str(one)] for one in (above, *above.parents) if str(one) in kinds), "")


def _unescaped(name: str) -> str:
    """Return a name as it is: the table writes spaces and the like as octal numbers."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\134", "\\")):
        name = name.replace(code, character)
    return name
