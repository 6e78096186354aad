"""Which rules stand in which file: the documents that a layout asks for, within every budget."""

from __future__ import annotations

from vettle.engine.records import LeftOut, Target
from vettle.engine.settings import TargetBudget
from vettle.renderers.assistants.targets import SCOPING, Assistant, find, in_order
from vettle.renderers.budget import Budget, Room
from vettle.renderers.documents import Document
from vettle.renderers.sheet import RENDERED_STATUSES, Said, Sheet, arrange
from vettle.renderers.survey import Survey

# What the markers and the heading of a block take, and the longest frontmatter of a file of our own.
_BLOCK_OVERHEAD = 120
_FILE_OVERHEAD = 2_300


def compose(survey: Survey) -> tuple[list[Document], list[LeftOut]]:
    """Write everything that the layout asks for, and list what did not make it."""
    request, layout = survey.request, survey.layout
    targets = in_order(layout.always | layout.scoped) if not request.remove else []
    documents: list[Document] = []
    missing: dict[tuple[str, str], list[Target]] = {}
    for target in targets:
        sheet = _sheet(survey, find(target))
        documents += find(target).always(sheet, survey.repository) if target in layout.always else []
        documents += find(target).scoped(sheet, survey.repository) if target in layout.scoped else []
        for one in sheet.left_out:
            missing.setdefault((one.rule_id, one.reason), []).append(target)
    there = {line.rule_id for document in documents for line in document.lines}
    there |= {rule_id for rule_id, _ in missing}
    there |= {rule for entry in survey.standing.values() for rule in entry.rules}
    for rule in request.rules:
        if targets and rule.status in RENDERED_STATUSES and rule.id not in there:
            missing[rule.id, _NO_SCOPE] = targets
    position = {rule.id: place for place, rule in enumerate(request.rules)}
    left_out = [
        LeftOut(rule_id=rule_id, reason=reason, targets=[] if where == targets else where)
        for (rule_id, reason), where in sorted(missing.items(), key=lambda item: position[item[0][0]])
    ]
    return documents, left_out


_NO_SCOPE = (
    "it is about some paths only, and no file that is written can say so. Render a target that can: "
    f"{', '.join(SCOPING)}"
)


def _sheet(survey: Survey, assistant: Assistant) -> Sheet:
    """Arrange the rules within the target's budget, and within what its reader reads of a file."""
    request, repository = survey.request, survey.repository
    own = request.settings.targets.get(assistant.target, TargetBudget())
    rules = request.settings.rules if own.rules is None else own.rules
    characters = request.settings.characters if own.characters is None else own.characters
    budget = Budget(rules, characters)
    place = assistant.place(repository)
    said = Said(place, repository.says(place)) if assistant.block_paths else None
    limit = own.file_limit or (assistant.limit.size if assistant.limit else None)
    if limit is None:
        return arrange(request.rules, budget, said=said, total=assistant.total)
    if not assistant.block_paths:
        return arrange(request.rules, Budget(rules, max(0, min(characters, limit - _FILE_OVERHEAD))))
    measure = assistant.limit.measure if assistant.limit else len
    theirs = measure(repository.texts.get(place, ""))
    why = f"{place} is read up to {limit:,} {'characters' if measure is len else 'bytes'}"
    why += f", and your own text takes {theirs:,} of them" if theirs else ""
    room = Room(limit - theirs - _BLOCK_OVERHEAD, measure, why)
    return arrange(request.rules, budget, room, said)
