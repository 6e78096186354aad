"""Rules of one project as a starter pack for another: what was learned here is only believed there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from vettle.engine import quarantine
from vettle.engine.candidates.packs import MOST_RULES, Pack, PackRule
from vettle.engine.errors import InvalidArgument
from vettle.engine.project import Project
from vettle.engine.records import Rule, RuleStatus
from vettle.engine.store import rules as table

if TYPE_CHECKING:
    from vettle.engine.learning import Learning

SHARED: tuple[RuleStatus, ...] = ("proven", "pinned", "trial")
"""The statuses that are shared when none is asked for: what is quarantined or retired here helps nobody."""

_LARGEST_PRIOR = 0.3
_CHOOSE = "Choose others with status, context or query"


def pack(
    project: Project, *, status: RuleStatus | str = "", context: str = "", query: str = "", name: str = ""
) -> Pack:
    """Return rules as a pack, with the effect believed of each now as its prior.

    `context` keeps the rules that apply there, `query` those with this text. Evidence is not shared: a
    rule proven here has to prove itself again where work is different.

    Raises:
        InvalidArgument: No rule is left, or more than a pack may have.
    """
    with project.read() as transaction:
        learning = project.learning(transaction)
        found = table.with_status(transaction, (status,) if status else SHARED)
    kept = [
        rule
        for rule in found
        if (not context or rule.context in ("", context)) and query.casefold() in rule.text.casefold()
    ]
    if not 0 < len(kept) <= MOST_RULES:
        raise InvalidArgument(
            "rules",
            f"{len(kept)} rules fit, and a pack has 1 to {MOST_RULES}",
            _CHOOSE,
        )
    title = name or quarantine.visible(project.root.name)[:120].strip() or "rules"
    return Pack(name=title, rules=[_rule(learning, rule) for rule in kept])


def _rule(learning: Learning, rule: Rule) -> PackRule:
    tried = learning.learner.knows(rule.id)
    believed = learning.learner.estimate(rule.id).effect if tried else rule.prior
    try:
        return PackRule(
            text=rule.text,
            category=rule.category,
            context=rule.context,
            globs=rule.globs,
            prior=round(min(max(believed, -_LARGEST_PRIOR), _LARGEST_PRIOR), 4),
            rationale=rule.rationale[:4_000],
        )
    except ValidationError as error:
        # An imported rule may be about more paths than a pack allows.
        raise InvalidArgument(
            "rules", f"{rule.id} fits into no pack ({error.errors()[0]['msg']})", _CHOOSE
        ) from error


def as_yaml(shared: Pack) -> str:
    """Return a pack as the YAML that `packs.load` reads; what has its default is left out."""
    # Imported here because only files need it.
    import yaml

    rows = shared.model_dump(mode="json", exclude_defaults=True)
    text: str = yaml.safe_dump(rows, sort_keys=False, allow_unicode=True, width=110)
    return text
