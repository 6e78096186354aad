"""Rule files: what rendering does to them, and what was taken from them."""

from __future__ import annotations

from vettle.engine.records.base import FileAction, Record, Refusal, Target


class RenderedFile(Record):
    """What rendering does, or would do, to one file. `path` is relative to the project root.

    `tokens` estimates what the rules cost a reader (characters / 4). `reason` says why the file changes, or
    is refused; then `refusal` names the kind: `edited` by hand, `damaged` markers or encoding, `not_ours`
    (vettle did not write it), `unusable` (a link, a folder, not readable), or `unknown_rules` (written from
    another database).
    """

    path: str
    target: Target
    action: FileAction
    reason: str = ""
    refusal: Refusal = ""
    tokens: int = 0
    rules: list[str] = []
    diff: str = ""


class LeftOut(Record):
    """A rule that was not rendered, and why; `targets` are those it is missing in, and none means in all."""

    rule_id: str
    reason: str
    targets: list[Target] = []


class Delivery(Record):
    """How many copies of each rendered rule one program will read.

    Listed are the programs that the repository is used with, and those that would read any of the rules.
    `once` counts the rules that reach it exactly once, `more` has the others with their number of copies,
    and `never` those it does not read.
    """

    reader: str
    target: Target
    once: int
    more: dict[str, int] = {}
    never: list[str] = []


class HiddenFile(Record):
    """A file of the user's that a program stops reading because of a file that rendering creates."""

    path: str
    reader: str
    remedy: str


class Rendering(Record):
    """The answer to `rules_render`. `in_sync` is false when writing would change a file, or one is refused."""

    files: list[RenderedFile]
    left_out: list[LeftOut]
    in_sync: bool
    written: bool
    deliveries: list[Delivery] = []
    hidden: list[HiddenFile] = []
    notes: list[str] = []


class NotTaken(Record):
    """A passage of a rule file that became no rule, and why."""

    line: int
    text: str
    reason: str


class ImportedFile(Record):
    """What was taken from one rule file: the ids of its rules, new ones and those that were known already.

    `reason` says why nothing could be read. `globs` are the paths that the file says it is about.
    """

    path: str
    globs: tuple[str, ...] = ()
    taken: int = 0
    rules: list[str] = []
    not_taken: list[NotTaken] = []
    reason: str = ""


class RulesImported(Record):
    """What became of the rules that a repository already had.

    `added` are on trial, `quarantined` need a person, `merged` say what another rule of the import says, and
    `known` what a rule of the database says. `applied` is false when this only shows what would happen.
    """

    files: list[ImportedFile]
    added: int
    quarantined: int
    merged: int
    known: int
    applied: bool
    next_step: str


class AdoptedRule(Record):
    """A line that a person wrote into a rule file, and the rule it became."""

    rule_id: str
    text: str
    globs: tuple[str, ...]
    path: str


class Adoption(Record):
    """What became of hand edits: new lines are pinned rules, deleted lines are retired rules.

    `applied` is false when this only shows what would be adopted; then new rules have no id yet.
    """

    pinned: list[AdoptedRule]
    retired: list[str]
    applied: bool
