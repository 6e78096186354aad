"""Taking proposals that a review found new: rules go on trial, experiments are proposed and not started."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vettle.engine import rules
from vettle.engine.experiments import lifecycle
from vettle.engine.identifiers import digest
from vettle.engine.proposals.classifying import Classified
from vettle.engine.records.proposals import RuleProposal
from vettle.engine.store import Transaction


def accept(
    transaction: Transaction, uid: bytes, classified: Sequence[Classified], proposer: str
) -> dict[int, str]:
    """Log the new ones as rules and experiments; return the id that each became, by its number.

    `uid` names the whole call: each event's uid is derived from it, so a retry cannot log one twice.
    """
    accepted: dict[int, str] = {}
    for one in classified:
        if one.status == "new":
            own = digest(uid.hex(), str(one.number))[:16]
            is_rule = isinstance(one.proposal, RuleProposal)
            accepted[one.number] = (_add_rule if is_rule else _create)(transaction, own, one, proposer)
    return accepted


def _add_rule(transaction: Transaction, uid: bytes, one: Classified, proposer: str) -> str:
    proposal = one.proposal
    assert isinstance(proposal, RuleProposal)
    return rules.append_added(
        transaction,
        uid,
        text=proposal.text,
        category=proposal.category,
        context=proposal.context,
        globs=tuple(dict.fromkeys(proposal.globs)),
        source="mistake" if proposal.evidence else "agent",
        rationale=provenance(proposal, proposer),
    ).id


def provenance(proposal: RuleProposal, proposer: str = "") -> str:
    """Return why a rule was proposed: the mistakes that it is against, or else whose idea it was."""
    named = [name for name in proposal.evidence if not re.search(rf"\b{name}\b", proposal.rationale)]
    said = [
        proposal.rationale,
        f"Against mistakes {', '.join(named)}." if named else "",
        f"Proposed by {proposer}." if proposer and not proposal.evidence else "",
    ]
    return " ".join(part for part in said if part)


def _create(transaction: Transaction, uid: bytes, one: Classified, proposer: str) -> str:
    proposal = one.proposal
    assert not isinstance(proposal, RuleProposal) and one.design is not None
    return lifecycle.append_created(
        transaction,
        uid,
        name=proposal.name,
        design=one.design,
        context=proposal.context,
        domain=proposal.domain,
        variable=one.variable,
        proposer=proposer,
        expected_effect=proposal.expected_effect,
    ).id
