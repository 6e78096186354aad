"""Bringing along what buildlog 0.8 and 0.23 recorded, as the real packages write it."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import peers

from vettle.engine import reports
from vettle.engine.clock import DAY, SECOND, system_clock
from vettle.engine.errors import InvalidArgument, SourceDamaged
from vettle.engine.exchange import systems
from vettle.engine.exchange.importing import import_reading
from vettle.engine.exchange.systems import buildlog
from vettle.engine.project import Project
from vettle.engine.records import Rule
from vettle.engine.records.exchange import DataImported, ImportedSource
from vettle.engine.store import MEMORY, events, open_store
from vettle.engine.store import rules as table
from vettle.engine.store.events import Event
from vettle.engine.store.maintenance import check

ENTRY = """# Build Journal: Cents

## Improvements

### Architectural

- Keep money in whole cents
- Define interfaces before what implements them

### Workflow

- Run the tests before every commit
"""

# One script drives both versions: sessions with mistakes and rewards, reviews, a promotion and a rejection.
WORK = """
import sys
from pathlib import Path
from buildlog.core import end_session, learn_from_review, log_mistake, log_reward, promote, reject, start_session, status

folder = Path(sys.argv[1])
issue = {"severity": "major", "category": "workflow", "description": "ignored", "rule_learned": "Check every return code"}
learn_from_review(folder, [issue], source="first")
learn_from_review(folder, [issue], source="second")
ids = {skill["rule"]: skill["id"] for skills in status(folder).skills.values() for skill in skills}
promote(folder, [ids["Keep money in whole cents"], ids["Define interfaces before what implements them"]],
        target="cursor", target_path=folder / "rules.mdc")
reject(folder, [ids["Run the tests before every commit"], "arch-0123456789"])
for number in range(4):
    start_session(folder, error_class="money" if number else None, notes=f"invoice {number}", select_k=1)
    if number < 2:
        log_mistake(folder, "rounding", "added floats in the invoice total", corrected_by_rule=ids["Keep money in whole cents"])
    if number == 3:
        log_reward(folder, "revision", revision_distance=0.25, notes="one line was wrong")
    else:
        log_reward(folder, "accepted")
    end_session(folder)
"""
MORE = """
import sys
from pathlib import Path
from buildlog.core import end_session, learn_from_review, log_mistake, log_reward, start_session

folder = Path(sys.argv[1])
issues = [{"severity": "minor", "category": "workflow", "rule_learned": text} for text in sys.argv[2:]]
learn_from_review(folder, issues, source="third")
start_session(folder, error_class="money")
log_mistake(folder, "rounding", "added floats in the tax total")
log_reward(folder, "rejected")
end_session(folder)
"""
OPEN = """
import sys
from pathlib import Path
from buildlog.core import log_mistake, start_session

start_session(Path(sys.argv[1]), error_class="money")
log_mistake(Path(sys.argv[1]), "rounding", "still at it")
"""
CLOSE = """
import sys
from pathlib import Path
from buildlog.core import end_session
end_session(Path(sys.argv[1]))
"""


class Old:
    """A project of buildlog 0.8, with everything in its folder."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "shop"
        self.folder = self.root / "buildlog"
        self.folder.mkdir(parents=True)
        (self.folder / "2026-01-05-cents.md").write_text(ENTRY)
        self.source = self.root
        self.python = peers.python(*peers.BUILDLOG_0_8, dependencies=False)

    def run(self, script: str, *arguments: str) -> None:
        """Let the real buildlog work on the project."""
        peers.run(self.python, script, self.folder, *arguments, folder=self.root, home=self.root.parent)


class New(Old):
    """A project of buildlog 0.23, with everything in a database of the home folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.source = folder / ".buildlog"
        self.python = peers.python(*peers.BUILDLOG_0_23, dependencies=False)


@pytest.fixture(name="old", scope="module")
def _old(tmp_path_factory: pytest.TempPathFactory) -> Old:
    peer = Old(tmp_path_factory.mktemp("old"))
    peer.run(WORK)
    return peer


@pytest.fixture(name="new", scope="module")
def _new(tmp_path_factory: pytest.TempPathFactory) -> New:
    peer = New(tmp_path_factory.mktemp("new"))
    peer.run(WORK)
    return peer


def bring(project: Project, path: Path) -> DataImported:
    """Import a path as whatever it is recognised as."""
    return import_reading(project, systems.read(path))


@pytest.fixture(name="shop")
def _shop(tmp_path: Path) -> object:
    # The real clock: the peers write real times, and reports cover the last days.
    project = Project(tmp_path / "shop", clock=system_clock)
    (tmp_path / "shop").mkdir()
    yield project
    project.close()


def rules_of(project: Project) -> dict[str, Rule]:
    """Return the rules by their texts."""
    with project.read() as transaction:
        return {rule.text: rule for rule in table.every(transaction)}


def logged(project: Project, kind: str) -> list[Event]:
    """Return the events of a kind, in order."""
    with project.read() as transaction:
        return [event for event in events.every(transaction) if event.kind == kind]


def file_of(answer: DataImported, name: str) -> ImportedSource:
    """Return what an import says of the file whose name ends like this."""
    return next(file for file in answer.files if file.path.endswith(name))


def stamps(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return the bytes and the time of every file below a folder."""
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def copy(peer: Old, folder: Path) -> Path:
    """Return a copy of what a peer wrote, to change."""
    return Path(shutil.copytree(peer.folder, folder / "buildlog"))


def test_everything_that_0_8_logged_is_brought_along(old: Old, shop: Project) -> None:
    """Sessions, mistakes, rewards, findings and journal rules are counted file by file."""
    answer = bring(shop, old.source)
    assert answer.system == "buildlog"
    assert answer.new == {
        "rules": 4,
        "reinforcements": 1,
        "retirements": 1,
        "mistakes": 2,
        "sessions": 4,
        "rewards": 4,
    }
    for name in (
        "sessions.jsonl",
        "mistakes.jsonl",
        "reward_events.jsonl",
        "review_learnings.json",
        "cents.md",
    ):
        assert file_of(answer, name).taken == file_of(answer, name).rows > 0
    assert check(shop._opened()) == []


def test_everything_that_0_23_logged_is_brought_along(new: New, shop: Project) -> None:
    """The same work gives the same, out of the database; what was only rejected has no text there."""
    answer = bring(shop, new.source)
    assert answer.new == {"rules": 3, "reinforcements": 1, "mistakes": 2, "sessions": 4, "rewards": 4}
    reasons = [row.reason for row in file_of(answer, "skill_decisions").skipped]
    assert len(reasons) == 2 and all("is only an id" in reason for reason in reasons)
    assert file_of(answer, "arm_states").rows > 0
    assert check(shop._opened()) == []


@pytest.mark.parametrize("which", ["old", "new"])
def test_a_second_import_is_nothing_new(which: str, shop: Project, request: pytest.FixtureRequest) -> None:
    """And neither import changes a byte or a time of the source."""
    peer: Old = request.getfixturevalue(which)
    before = stamps(peer.root.parent)
    first, second = bring(shop, peer.source), bring(shop, peer.source)
    assert second.new == {}
    assert second.known == sum(
        n for kind, n in first.new.items() if kind not in ("reinforcements", "retirements")
    )
    assert stamps(peer.root.parent) == before


@pytest.mark.parametrize("version", [Old, New])
def test_a_project_that_goes_on_gives_only_what_is_new(
    version: type[Old], tmp_path: Path, shop: Project
) -> None:
    """A session, a mistake, a reward, a new finding and one that was found again."""
    peer = version(tmp_path / "peer")
    peer.run(WORK)
    bring(shop, peer.source)
    peer.run(MORE, "Check every return code", "Name the unit of every number")
    answer = bring(shop, peer.source)
    assert answer.new == {"rules": 1, "reinforcements": 1, "mistakes": 1, "sessions": 1, "rewards": 1}
    assert bring(shop, peer.source).new == {}
    assert sum(event.metrics["n"] for event in logged(shop, "rule_reinforced")) == 2


@pytest.mark.parametrize("version", [Old, New])
def test_an_open_session_waits_until_it_is_ended(version: type[Old], tmp_path: Path, shop: Project) -> None:
    """It is left out with the reason; its mistakes are kept and are its own once it is imported."""
    peer = version(tmp_path / "peer")
    peer.run(OPEN)
    first = bring(shop, peer.source)
    assert first.new == {"rules": 3, "mistakes": 1} if version is Old else {"mistakes": 1}
    assert "has not ended" in next(file for file in first.files if "active" in file.path).skipped[0].reason
    peer.run(CLOSE)
    # 0.23 logs a reward nobody gave when a session ends without one.
    second = bring(shop, peer.source)
    assert second.new == {"sessions": 1}
    (session,), (mistake,) = logged(shop, "session_imported"), logged(shop, "mistake_logged")
    assert mistake.session == session.session
    assert session.metrics["mistakes"] == 1
    assert "no feedback" in file_of(second, "reward_events").skipped[0].reason if version is New else True


def test_a_reward_belongs_to_a_session_only_where_that_was_recorded(
    old: Old, new: New, shop: Project, tmp_path: Path
) -> None:
    """0.8 never wrote it, so its rewards stand alone and its sessions have no score; 0.23 did."""
    bring(shop, old.source)
    assert {event.session for event in logged(shop, "reward_logged")} == {""}
    assert not any("score" in event.metrics for event in logged(shop, "session_imported"))
    other = Project(tmp_path / "other", clock=system_clock, store=open_store(MEMORY))
    bring(other, new.source)
    scores = [event.metrics["score"] for event in logged(other, "session_imported")]
    assert len(scores) == 4 and scores[2] > scores[3] > scores[1]
    other.close()


def test_values_of_rewards(old: Old, shop: Project) -> None:
    """Accepted is 1, and a revision is 1 less its distance."""
    bring(shop, old.source)
    assert [event.metrics["value"] for event in logged(shop, "reward_logged")] == [1.0, 1.0, 1.0, 0.75]


def test_contexts_tasks_and_times_are_kept(old: Old, shop: Project) -> None:
    """The error class is the context, the notes are the task, and everything happened when it did."""
    bring(shop, old.source)
    sessions = logged(shop, "session_imported")
    assert [event.subject for event in sessions] == ["general", "money", "money", "money"]
    assert sessions[1].data["task"] == "invoice 1"
    line = (old.folder / ".buildlog" / "sessions.jsonl").read_text().splitlines()[0]
    from vettle.engine.exchange.reading import microseconds

    assert sessions[0].happened == microseconds(json.loads(line)["started_at"])


def test_mistakes_carry_what_would_have_corrected_them(old: Old, shop: Project) -> None:
    """The rule's id there is its text here, and the second time is a repeat."""
    bring(shop, old.source)
    mistakes = logged(shop, "mistake_logged")
    assert [event.data["correction"] for event in mistakes] == ["Keep money in whole cents"] * 2
    assert [event.metrics["repeat"] for event in mistakes] == [0.0, 1.0]
    report = reports.report(shop, kind="mistakes", period="30d")
    assert report.mistakes is not None
    assert [(one.error_class, one.count, one.repeats) for one in report.mistakes.by_class] == [
        ("rounding", 2, 1)
    ]


def test_rules_keep_where_they_come_from_and_what_was_decided(old: Old, shop: Project) -> None:
    """A promoted rule says so and is on trial, since nothing proved it; a rejected one is retired."""
    bring(shop, old.source)
    rules = rules_of(shop)
    promoted, rejected = rules["Keep money in whole cents"], rules["Run the tests before every commit"]
    assert (promoted.status, promoted.category) == ("trial", "architectural")
    assert "promoted in buildlog" in promoted.rationale and "the journal of 2026-01-05" in promoted.rationale
    assert (rejected.status, rejected.reason) == ("retired", "rejected in buildlog")
    assert "learned from review:first; a major finding" in rules["Check every return code"].rationale


def test_an_id_without_a_text_is_left_out(old: Old, shop: Project) -> None:
    """Buildlog accepts ids of no rule; the answer names them."""
    skipped = file_of(bring(shop, old.source), "rejected.json").skipped
    assert ["arch-0123456789" in row.reason for row in skipped] == [True]


def test_what_0_23_migrated_from_files_is_known(tmp_path: Path, shop: Project) -> None:
    """Moving from 0.8 to 0.23 to here, with an import at either end, counts nothing twice."""
    peer = Old(tmp_path / "peer")
    peer.run(WORK)
    bring(shop, peer.source)
    later = peers.python(*peers.BUILDLOG_0_23, dependencies=False)
    migrate = (
        "import sys; from pathlib import Path; from buildlog.storage.migrate import migrate_project as move;"
    )
    peers.run(
        later,
        migrate + "move(Path(sys.argv[1]), project_root=Path.cwd())",
        peer.folder,
        folder=peer.root,
        home=peer.root.parent,
    )
    answer = bring(shop, peer.root.parent / ".buildlog")
    assert answer.new == {}
    assert answer.known == 4 + 2 + 4 + 1


SEVERE = """
import sys
from pathlib import Path
from buildlog.core import log_mistake
for severity in ("low", "medium", "high", "critical", None):
    log_mistake(Path(sys.argv[1]), "rounding", f"a {severity} one", severity=severity, resolution_action="use cents")
"""


def test_0_23_goes_on_with_files_where_it_finds_some(tmp_path: Path, shop: Project) -> None:
    """Those say more than the files of 0.8: which session a reward is for, how severe a mistake was, what helped."""
    peer = New(tmp_path / "peer")
    (peer.folder / ".buildlog").mkdir()
    (peer.folder / ".buildlog" / "promoted.json").write_text('{"skill_ids": [], "promoted_at": {}}')
    peer.run(WORK)
    peer.run(SEVERE)
    answer = bring(shop, peer.root)
    assert answer.new == {
        "rules": 4,
        "reinforcements": 1,
        "retirements": 1,
        "mistakes": 7,
        "sessions": 4,
        "rewards": 4,
    }
    assert all("score" in event.metrics for event in logged(shop, "session_imported"))
    severe = [event for event in logged(shop, "mistake_logged") if not event.session]
    assert [event.data["severity"] for event in severe] == [
        "suggestion",
        "warning",
        "blocker",
        "blocker",
        "warning",
    ]
    assert {event.data["correction"] for event in severe} == {"use cents"}
    assert any("kept without one: 5" in note for note in answer.notes)


def test_one_database_of_two_projects_gives_this_ones_facts(new: New, tmp_path: Path, shop: Project) -> None:
    """The other project's rows are left out by name; so are rules that only it decided about, and reviewers'."""
    home = Path(shutil.copytree(new.root.parent, tmp_path / "home"))
    other = home / "bakery" / "buildlog"
    other.mkdir(parents=True)
    (other / "2026-01-05-cents.md").write_text(ENTRY.replace("cents", "grams"))
    peers.run(new.python, WORK.replace("cents", "grams"), other, folder=other.parent, home=home)
    answer = bring(shop, home / ".buildlog")
    assert answer.new == {"rules": 3, "reinforcements": 1, "mistakes": 2, "sessions": 4, "rewards": 4}
    assert not any("grams" in text for text in rules_of(shop))
    assert file_of(answer, ": sessions").rows == 8
    assert all("bakery" in row.reason for row in file_of(answer, ": sessions").skipped)


def arms(folder: Path, *rows: tuple[str, str, float, float]) -> None:
    """Write posteriors as buildlog 0.8 does."""
    lines = [
        {
            "context": context,
            "rule_id": rule,
            "alpha": alpha,
            "beta": beta,
            "is_seed": False,
            "updated_at": "2026-01-05",
        }
        for context, rule, alpha, beta in rows
    ]
    (folder / "bandit_state.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_posteriors_become_small_believed_effects(old: Old, tmp_path: Path, shop: Project) -> None:
    """(r - m n) / (n + 20) by hand: 8 of 10 and 4 of 10, mean 0.6, are +2/30 and -2/30; many are cut at 0.1."""
    folder = copy(old, tmp_path / "copy")
    ids = json.loads((folder / ".buildlog" / "promoted.json").read_text())["skill_ids"]
    good, bad = (one for one in ids)
    arms(folder, ("general", good, 1, 1), ("general", good, 9, 3), ("general", bad, 5, 7))
    facts = {fact.key: fact for fact in buildlog.read(folder).facts}
    priors = sorted(getattr(fact, "prior", 0.0) for fact in facts.values())
    assert (priors[0], priors[-1]) == pytest.approx((-2 / 30, 2 / 30))
    arms(folder, ("general", good, 801, 201), ("general", bad, 201, 801))
    answer = bring(shop, folder)
    assert sorted(rule.prior for rule in rules_of(shop).values()) == [-0.1, 0.0, 0.0, 0.1]
    assert any("prove nothing" in note for note in answer.notes)


def test_a_context_that_is_hard_is_not_held_against_its_rules(old: Old, tmp_path: Path) -> None:
    """Two rules that did as well as all others of their contexts are believed to change nothing."""
    folder = copy(old, tmp_path / "copy")
    first, second = json.loads((folder / ".buildlog" / "promoted.json").read_text())["skill_ids"]
    arms(folder, ("easy", first, 91, 11), ("hard", second, 11, 91))
    assert all(getattr(fact, "prior", 0.0) == pytest.approx(0.0) for fact in buildlog.read(folder).facts)


BAD = [
    ("reward_events.jsonl", "reward_value", float("nan")),
    ("reward_events.jsonl", "reward_value", "0.5"),
    ("reward_events.jsonl", "reward_value", -0.25),
    ("reward_events.jsonl", "outcome", "splendid"),
    ("reward_events.jsonl", "timestamp", "yesterday"),
    ("mistakes.jsonl", "error_class", ""),
    ("mistakes.jsonl", "description", None),
    ("mistakes.jsonl", "description", 7),
    ("mistakes.jsonl", "timestamp", 10**400),
    ("mistakes.jsonl", "id", ""),
    ("sessions.jsonl", "ended_at", None),
    ("sessions.jsonl", "error_class", "two\nlines"),
    ("sessions.jsonl", "started_at", float("inf")),
]


@pytest.mark.parametrize(("name", "field", "value"), BAD)
def test_a_bad_row_is_left_out_and_the_rest_is_taken(
    old: Old, tmp_path: Path, shop: Project, name: str, field: str, value: object
) -> None:
    """The reason names the field, and nothing else is lost."""
    folder = copy(old, tmp_path / "copy")
    path = folder / ".buildlog" / name
    first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps(json.loads(first) | {field: value}), *rest]) + "\n")
    file = file_of(bring(shop, folder), name)
    assert (file.taken, file.skipped_rows) == (len(rest), 1)
    assert file.skipped[0].line == 1
    assert file.skipped[0].reason.startswith(field)


@pytest.mark.parametrize(
    ("name", "damage", "line"),
    [
        ("mistakes.jsonl", lambda data: data[:-9], 2),
        ("sessions.jsonl", lambda data: data.replace(b"{", b"[", 1), 1),
        ("reward_events.jsonl", lambda data: data.replace(b"accepted", b"accept\xff", 1), 1),
        ("promoted.json", lambda data: b"", 1),
        ("rejected.json", lambda data: b"[]", 1),
        ("active_session.json", lambda data: b"", 1),
        ("review_learnings.json", lambda data: data[: len(data) // 2], 0),
    ],
)
def test_a_damaged_file_is_refused_by_name_and_line(
    old: Old, tmp_path: Path, shop: Project, name: str, damage: object, line: int
) -> None:
    """A torn last line is damage as well, and nothing of the other files is imported."""
    assert callable(damage)
    folder = copy(old, tmp_path / "copy")
    path = folder / ".buildlog" / name
    path.write_bytes(damage(path.read_bytes() if path.exists() else b""))
    with pytest.raises(SourceDamaged, match=f"{name}:{line}" if line else name):
        bring(shop, folder)
    assert logged(shop, "session_imported") == []


def test_a_database_that_is_none_is_refused(tmp_path: Path) -> None:
    """Its name is in the message."""
    (tmp_path / "buildlog.db").write_bytes(b"SQLite format 3\0 and then something else")
    with pytest.raises(SourceDamaged, match=r"buildlog\.db"):
        systems.read(tmp_path / "buildlog.db")


def test_a_folder_without_anything_is_not_recognised(tmp_path: Path) -> None:
    """Nor is it read when somebody says that it is buildlog's."""
    assert not buildlog.recognises(tmp_path)
    with pytest.raises(InvalidArgument, match="nothing of buildlog's"):
        buildlog.read(tmp_path)


@pytest.mark.parametrize("path", ["shop", "shop/buildlog", "shop/buildlog/.buildlog"])
def test_the_project_or_either_folder_can_be_named(old: Old, path: str) -> None:
    """All three are the same data, under the same keys and names."""
    found = systems.recognise(old.root.parent / path)
    assert found is not None and found.SYSTEM == "buildlog"
    whole = buildlog.read(old.source)
    assert found.read(old.root.parent / path).facts == whole.facts


@pytest.mark.parametrize("path", [".buildlog", ".buildlog/buildlog.db", "."])
def test_the_home_folder_or_the_database_can_be_named(new: New, path: str) -> None:
    """The database is found in all three, and told from other SQLite files."""
    home = new.root.parent
    found = systems.recognise(home / path)
    assert found is not None and found.SYSTEM == "buildlog"
    assert found.read(home / path).facts == buildlog.read(new.source).facts


def mangled(data: st.DataObject, content: bytes) -> bytes:
    """Return content that lost its end, or one byte of which is another."""
    at = data.draw(st.integers(0, max(len(content) - 1, 0)))
    if data.draw(st.booleans()):
        return content[:at]
    return content[:at] + bytes([content[at] ^ data.draw(st.integers(1, 255))]) + content[at + 1 :]


def tried(path: Path) -> None:
    """Import a path that may be damaged: refused with nothing recorded, or taken soundly."""
    with closing(open_store(MEMORY)) as store:
        project = Project(path.parent, clock=lambda: 2_000_000_000 * SECOND + DAY, store=store)
        try:
            import_reading(project, buildlog.read(path))
        except SourceDamaged:
            with project.read() as transaction:
                assert events.count(transaction) == 0
        else:
            assert check(store) == []


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damage_anywhere_in_the_files_is_refused_or_harmless(
    data: st.DataObject, old: Old, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever byte of whatever file is cut or flipped, there is no other exception and no half import."""
    folder = copy(old, tmp_path_factory.mktemp("damaged"))
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(paths))
    path.write_bytes(mangled(data, path.read_bytes()))
    tried(folder)
    shutil.rmtree(folder.parent)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_damage_anywhere_in_the_database_is_refused_or_harmless(
    data: st.DataObject, new: New, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same of the database, of its write-ahead log, and of the learner's."""
    home = Path(shutil.copytree(new.root.parent, tmp_path_factory.mktemp("damaged") / "home"))
    paths = sorted(path for path in home.rglob("*.db*") if not path.name.endswith("-shm"))
    path = data.draw(st.sampled_from(paths))
    path.write_bytes(mangled(data, path.read_bytes()))
    tried(home / ".buildlog" / "buildlog.db")
    shutil.rmtree(home.parent)
