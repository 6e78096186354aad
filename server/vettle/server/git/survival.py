"""How much of a session's change survived until a commit: what git and the snapshots know, judged."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from vettle.engine.identifiers import digest
from vettle.engine.outcomes import fingerprints, revision
from vettle.engine.outcomes.fingerprints import Lines
from vettle.engine.outcomes.revision import File, Survival
from vettle.engine.outcomes.verdicts import Verdict
from vettle.engine.quarantine import visible
from vettle.server.git import snapshots
from vettle.server.git.repository import Git
from vettle.server.git.snapshots import Snapshot, State

_MOST_CANDIDATES = 1_000


@dataclass(frozen=True)
class View:
    """The files at one moment: those of a commit, by the ids of their contents, and what differed from it."""

    blobs: Mapping[str, str]
    differing: Mapping[str, Lines | None] = field(default_factory=dict)

    def paths(self) -> set[str]:
        """Return every file that was there."""
        absent = {path for path, lines in self.differing.items() if lines is None}
        return (set(self.blobs) | set(self.differing)) - absent

    def mark(self, path: str) -> object:
        """Return something that is equal in two views if the file surely is."""
        return self.differing[path] if path in self.differing else self.blobs.get(path)


@dataclass(frozen=True)
class Reader:
    """Reads the lines of files as fingerprints with one salt, each content once."""

    git: Git
    salt: bytes
    _known: dict[str, Lines] = field(default_factory=dict)

    def view(self, state: State) -> View:
        """Return the files as they stood in a snapshot."""
        differing = {
            path: None if kept is None else fingerprints.restored(kept) for path, kept in state.files.items()
        }
        return View(self.git.tree(state.head), differing)

    def lines(self, view: View, paths: Collection[str]) -> dict[str, Lines]:
        """Return the lines of those of the files that were there."""
        there = view.paths().intersection(paths)
        blobs = {path: view.blobs[path] for path in there if path not in view.differing}
        missing = list(dict.fromkeys(blob for blob in blobs.values() if blob not in self._known))
        for blob, content in self.git.contents(missing, fingerprints.LARGEST):
            whole = content is None or not fingerprints.is_text(content)
            self._known[blob] = (
                fingerprints.of_whole(blob, self.salt)
                if whole or content is None
                else fingerprints.of_text(content, self.salt)
            )
        kept = {path: view.differing[path] or Lines() for path in there if path in view.differing}
        return kept | {path: self._known[blob] for path, blob in blobs.items()}


@dataclass(frozen=True)
class Work:
    """What was changed between two moments, apart from the files that are left out."""

    reader: Reader
    start: View
    end: View
    left_out: Collection[str] = ()

    def found_in(self, kept: View) -> Survival:
        """Return how much of it is there at a third moment."""
        return compared(self.reader, self.start, self.end, kept, left_out=self.left_out)


def of_session(root: Path, state_folder: Path, session_id: str, commit: str = "") -> Verdict:
    """Judge what a session changed by what a commit holds of it; without a `commit`, by the checked-out one.

    Without a named commit it may be too early (`_too_early`).

    Raises:
        GitUnavailable, InvalidArgument: Git cannot tell, or `commit` is no revision.
    """
    snapshot = snapshots.load(state_folder, session_id)
    if snapshot is None or snapshot.end is None:
        return Verdict("git", _unknown(session_id, snapshot))
    git = Git(root)
    if not commit and not git.head():
        return Verdict("git", "too early: there is no commit yet. Commit first")
    accepted = git.commit(commit or "HEAD", "--commit")
    for head in filter(None, (snapshot.start.head, snapshot.end.head)):
        git.commit(head, f"the session's commit {head[:12]}")
    reader = Reader(git, bytes.fromhex(snapshot.salt))
    start, end, kept = reader.view(snapshot.start), reader.view(snapshot.end), View(git.tree(accepted))
    filtered = git.filtered(sorted(_touched(start, end)))
    work = Work(reader, start, end, filtered)
    found = work.found_in(kept)
    early = "" if commit or not found.proposed else _too_early(work, snapshot.start.head, accepted, found)
    return Verdict("git", f"too early: {early}") if early else _verdict(found, accepted, f"git-{accepted}")


def _too_early(work: Work, begun: str, head: str, found: Survival) -> str:
    """Say why the checked-out commit does not judge the work yet; "" if it does.

    It does not while nothing was committed since the session began, while a part of the change stands in the working
    tree only, or while nothing of it is there but on another branch, which may be under review.
    """
    git, enough = work.reader.git, found.survived + revision.ACCEPTED_UP_TO * found.proposed
    if begun and git.contains(begun, head):
        return "nothing was committed since the session began. Commit first"
    present = work.found_in(work.reader.view(snapshots.taken(git, work.reader.salt)))
    if present.survived > enough:
        waiting = _of(present.survived - found.survived, found)
        return f"{waiting} are in the working tree and not in the commit. Commit first, or pass --commit HEAD"
    if revision.outcome(found.distance) == "rejected":
        for tip, name in git.branches(begun):
            if tip != head and work.found_in(View(git.tree(tip))).survived > enough:
                return (
                    f"the change is on {visible(name)[:80]} and not in HEAD. Merge it, or pass --commit HEAD"
                )
    return ""


def of_commits(root: Path, proposed: str, accepted: str, base: str = "") -> Verdict:
    """Judge what one commit proposes by what another holds of it, such as a branch and what was merged.

    The change begins where the proposed branch left `base`, or else what it was merged into: of a merge commit, its
    first parent.

    Raises:
        GitUnavailable, InvalidArgument: Git cannot tell, or a revision is none.
    """
    git = Git(root)
    wanted, got = git.commit(proposed, "--proposed"), git.commit(accepted, "--accepted")
    begun = git.parting(wanted, got, git.commit(base, "--base") if base else "")
    reader = Reader(git, digest(begun))
    start, end, kept = (View(git.tree(one)) for one in (begun, wanted, got))
    reference = digest(begun, wanted, got).hex()[:40]
    return _verdict(compared(reader, start, end, kept), got, f"git-{reference}")


def compared(
    reader: Reader, start: View, end: View, kept: View, *, left_out: Collection[str] = ()
) -> Survival:
    """Return how much of the change from `start` to `end` is in `kept`; files that were moved are followed."""
    touched = _touched(start, end).difference(left_out)
    before, after = reader.lines(start, touched), reader.lines(end, touched)
    moved = revision.moves(
        {path: lines for path, lines in before.items() if path not in after},
        {path: lines for path, lines in after.items() if path not in before},
    )
    pairs = {path: moved.get(path, path) for path in touched.difference(moved.values())}
    changed = {
        old: new
        for old, new in pairs.items()
        if revision.change(before.get(old, Lines()), after.get(new, Lines())).size
    }
    places = _places(reader, start, end, kept, changed, after)
    found = reader.lines(kept, set(places.values()))
    return revision.survival(
        File(before.get(old, Lines()), after.get(new, Lines()), found.get(places.get(old, ""), Lines()))
        for old, new in changed.items()
    )


def _touched(start: View, end: View) -> set[str]:
    paths = start.paths() | end.paths()
    return {path for path in paths if start.mark(path) != end.mark(path)}


def _places(
    reader: Reader, start: View, end: View, kept: View, changed: Mapping[str, str], after: Mapping[str, Lines]
) -> dict[str, str]:
    """Return where each changed file is in `kept`: as proposed, under its old name, or wherever it was moved."""
    there = kept.paths()
    places = {old: new if new in there else old for old, new in changed.items() if {old, new} & there}
    lost = {new: old for old, new in changed.items() if old not in places and new in after}
    if not lost:
        return places
    names = {PurePosixPath(path).name for path in lost}
    added = sorted(
        there - start.paths() - end.paths(), key=lambda path: (PurePosixPath(path).name not in names, path)
    )
    candidates = reader.lines(kept, added[:_MOST_CANDIDATES])
    moved = revision.moves({path: after[path] for path in lost}, candidates)
    return places | {lost[path]: place for path, place in moved.items()}


def _verdict(found: Survival, commit: str, reference: str) -> Verdict:
    if not found.proposed:
        return Verdict("git", "nothing that counts was changed: no line apart from blank ones and whitespace")
    reason = f"{_of(found.survived, found)} survived until commit {commit[:12]}"
    distance = round(found.distance, 4)
    return Verdict("git", reason, revision.outcome(distance), distance, reference)


def _of(lines: int, found: Survival) -> str:
    return f"{lines:,} of {found.proposed:,} changed lines"


def _unknown(session_id: str, snapshot: Snapshot | None) -> str:
    if snapshot is None:
        return (
            f"no snapshot of session {session_id}: it is taken as a session starts in a git repository, and stays on "
            "that machine. Name the commits instead: --proposed REV --accepted REV"
        )
    return (
        f"no snapshot of the end of session {session_id}, so what it changed is not known: it is taken as the session "
        "ends. End it first, or name the commits instead: --proposed REV --accepted REV"
    )
