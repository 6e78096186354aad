"""What git knows of a repository: its commits and their files, and what differs from them in the working tree."""

from __future__ import annotations

import hashlib
import math
import os
import re
import stat
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vettle.engine.errors import GitUnavailable, InvalidArgument
from vettle.engine.root import STATE_FOLDER
from vettle.server.git import running

_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_FILTERED = ("filter", "working-tree-encoding")
_MOST_CONTENT = 64_000_000
_SHALLOW = (
    "This clone is shallow, so it may not have the history. Get it: git fetch --unshallow "
    "(in GitHub Actions: fetch-depth: 0)"
)


@dataclass(frozen=True)
class Differing:
    """A file of the working tree that may differ from a commit; `blob` is its content there, "" if it is not."""

    path: str
    blob: str


@dataclass(frozen=True)
class Git:
    """The repository around a folder, seen from that folder: paths are relative to it, and what is outside is not seen."""

    root: Path
    deadline: float = math.inf
    """The time of the monotonic clock, in seconds, after which git is stopped."""

    def commit(self, revision: str, field: str = "commit") -> str:
        """Return the id of the commit that a revision names; `field` is what messages call the argument.

        Raises:
            InvalidArgument: It cannot be a revision.
            GitUnavailable: This repository has no such commit.
        """
        if not revision or revision.startswith("-") or not revision.isprintable():
            raise InvalidArgument(
                field,
                f"{revision[:80]!r} is no revision",
                "Name a commit, a branch or a tag, such as HEAD or main",
            )
        found = self._asked("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        lines = found.stdout.decode("ascii", "replace").split()
        if found.returncode or not lines or not _ID.fullmatch(lines[-1]):
            self._run("rev-parse", "--git-dir")
            raise GitUnavailable(
                f"{field}: this repository has no commit {revision[:80]!r}. {self.about_history()}"
            )
        return lines[-1]

    def head(self) -> str:
        """Return the id of the commit that is checked out, or "" before the first one."""
        found = self._asked("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        head = found.stdout.decode("ascii", "replace").strip()
        if not found.returncode and _ID.fullmatch(head):
            return head
        self._run("rev-parse", "--git-dir")
        return ""

    def contains(self, descendant: str, ancestor: str) -> bool:
        """Tell whether a commit is another one, or has it in its history."""
        return self._asked("merge-base", "--is-ancestor", ancestor, descendant).returncode == 0

    def parting(self, proposed: str, accepted: str, base: str = "") -> str:
        """Return the commit where a branch left `base`, or else what it was merged into.

        Raises:
            GitUnavailable: That cannot be told: the history is shallow or not shared, or the branch was merged
                without a merge commit, so that nothing says where it began.
        """
        if self.shallow and not base:
            raise GitUnavailable(
                f"--base: where the branch began cannot be told. {_SHALLOW}, or pass --base."
            )
        other = base or accepted
        if not base and self.contains(accepted, proposed):
            is_merge = self._asked("rev-parse", "--verify", "--quiet", f"{accepted}^2").returncode == 0
            other = f"{accepted}^1" if is_merge else accepted
        begun = self._asked("merge-base", proposed, other).stdout.decode("ascii", "replace").strip()
        if not begun or begun == proposed:
            raise GitUnavailable(
                "--base: where the branch began cannot be told. Pass --base REV, such as the target branch before "
                f"the merge.{f' {_SHALLOW}.' if self.shallow else ''}"
            )
        return begun

    @property
    def shallow(self) -> bool:
        """Whether the history ends early, as in many clones of CI."""
        return self._run("rev-parse", "--is-shallow-repository").strip() == b"true"

    def about_history(self) -> str:
        """Say why a commit may be missing, and what to do about it."""
        return (
            _SHALLOW if self.shallow else "Name one that git log shows, or fetch the branch that it is on"
        ) + "."

    def tree(self, commit: str) -> dict[str, str]:
        """Return every file of a commit (none for "") with the id of its content; submodules are left out."""
        if not commit:
            return {}
        files = {}
        for entry in _fields(self._run("ls-tree", "-r", "-z", commit)):
            about, _, path = entry.partition("\t")
            _, kind, blob = about.split()
            if kind == "blob" and _compared(path):
                files[path] = blob
        return files

    def differing(self, commit: str) -> list[Differing]:
        """Return the files that may differ between a commit ("" for none) and the working tree; ignored ones do not."""
        base = commit or self._run("hash-object", "-t", "tree", "--stdin", given=b"").decode("ascii").strip()
        fields = _fields(
            self._run(
                "diff-index",
                "--raw",
                "-z",
                "--no-abbrev",
                "--no-renames",
                "--no-ext-diff",
                "--no-textconv",
                "--ignore-submodules=all",
                "--relative",
                base,
                "--",
                ".",
                switched_off=self._filters(),
            )
        )
        found = {}
        for about, path in zip(fields, fields, strict=True):
            blob = about.split()[2]
            found[path] = Differing(path, blob if blob.strip("0") else "")
        for path in _fields(self._run("ls-files", "--others", "--exclude-standard", "-z", "--", ".")):
            found.setdefault(path, Differing(path, ""))
        # A folder that git names as a whole is another repository.
        return [one for one in found.values() if not one.path.endswith("/") and _compared(one.path)]

    def contents(self, blobs: Sequence[str], largest: int) -> Iterator[tuple[str, bytes | None]]:
        """Yield the content of each blob by its id, or None for one with more bytes than `largest`.

        Raises:
            GitUnavailable: The repository has not got one of them, as in a partial clone.
        """
        sizes = self._sizes(blobs)
        yield from ((blob, None) for blob, size in sizes.items() if size > largest)
        batch: list[str] = []
        room = _MOST_CONTENT
        for blob, size in sizes.items():
            if size > largest:
                continue
            if size > room:
                yield from self._batch(batch)
                batch, room = [], _MOST_CONTENT
            batch.append(blob)
            room -= size
        yield from self._batch(batch)

    def filtered(self, paths: Sequence[str]) -> set[str]:
        """Return the files that git stores in another form than they have in the working tree, such as of LFS."""
        given = "".join(f"{path}\0" for path in paths).encode("utf-8", "surrogateescape")
        fields = _fields(self._run("check-attr", "-z", "--stdin", *_FILTERED, given=given))
        triples = zip(fields, fields, fields, strict=True)
        return {path for path, _, value in triples if value not in ("unspecified", "unset")}

    def branches(self, since: str) -> list[tuple[str, str]]:
        """Return the 20 youngest branches, local or fetched, that hold a commit ("" for any): id and name."""
        containing = [f"--contains={since}"] if since else []
        output = self._run(
            "for-each-ref",
            "--sort=-committerdate",
            "--count=20",
            "--format=%(objectname) %(refname:short)",
            *containing,
            "refs/heads",
            "refs/remotes",
        )
        lines = output.decode("utf-8", "replace").splitlines()
        return [(commit, name) for commit, _, name in (line.partition(" ") for line in lines)]

    def _filters(self) -> list[str]:
        """Return the settings that name programs through which git would pass a file to compare it.

        It does so where a file is no older than the index, so that its time and size do not tell whether it changed.

        Raises:
            GitUnavailable: One of them cannot be switched off.
        """
        listed = self._asked("config", "--null", "--name-only", "--get-regexp", r"^filter\.")
        names = [name for name in _fields(listed.stdout) if not name.endswith(".smudge")]
        if any("=" in name for name in names):
            raise GitUnavailable("A git filter has a name with '=' and cannot be switched off. Rename it.")
        return list(dict.fromkeys(names))

    def _sizes(self, blobs: Sequence[str]) -> dict[str, int]:
        given = "".join(f"{blob}\n" for blob in blobs).encode("ascii")
        sizes = {}
        for line in self._run("cat-file", "--batch-check", given=given).decode("ascii").splitlines():
            blob, kind, *size = line.split()
            if kind != "blob":
                raise GitUnavailable(
                    f"This repository has not got object {blob}: it is damaged, or a partial clone, from which nothing "
                    "is fetched here. Nothing was recorded. Clone it without --filter."
                )
            sizes[blob] = int(size[0])
        return sizes

    def _batch(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        output = self._run("cat-file", "--batch", given="".join(f"{blob}\n" for blob in blobs).encode())
        at = 0
        for blob in blobs:
            end = output.index(b"\n", at)
            size = int(output[at:end].split()[2])
            yield blob, output[end + 1 : end + 1 + size]
            at = end + 1 + size + 1

    def _run(self, *arguments: str, given: bytes = b"", switched_off: Sequence[str] = ()) -> bytes:
        return running.run(
            self.root, *arguments, given=given, deadline=self.deadline, switched_off=switched_off
        )

    def _asked(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return running.asked(self.root, *arguments, deadline=self.deadline)


def blob_id(content: bytes, like: str) -> str:
    """Return the id that git gives a content, with the same kind of hash as the id `like` has."""
    hashed = hashlib.sha256() if len(like) > 40 else hashlib.sha1(usedforsecurity=False)
    hashed.update(b"blob %d\0" % len(content))
    hashed.update(content)
    return hashed.hexdigest()


def content_of(path: Path, most: int) -> bytes | None:
    """Return a file of the working tree, of a link where it points; None if there is none.

    Raises:
        GitUnavailable: It has more than `most` bytes, or cannot be read.
    """
    try:
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            return os.fsencode(path.readlink())
        if not stat.S_ISREG(found.st_mode):
            return None
        if found.st_size > most:
            raise GitUnavailable(f"{path}: too much differs from the commit. Commit or ignore it.")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise GitUnavailable(f"{path}: cannot be read ({error.strerror}). Nothing was recorded.") from error


def _fields(output: bytes) -> Iterator[str]:
    return iter(output.decode("utf-8", "surrogateescape").split("\0")[:-1])


def _compared(path: str) -> bool:
    """Tell whether a file counts: not what we keep ourselves, and not one whose name is no UTF-8."""
    escaped = any("\udc80" <= character <= "\udcff" for character in path)
    return path.split("/", 1)[0] != STATE_FOLDER and not escaped
