"""Who will read which rule how often, once the planned files are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from vettle.engine.records import Delivery, HiddenFile
from vettle.renderers.assistants.readers import READERS, Reader, hidden_by
from vettle.renderers.documents import Document
from vettle.renderers.repository import Repository


def deliveries(
    repository: Repository,
    documents: Sequence[Document],
    readers: Collection[Reader],
    forms: Mapping[str, str],
) -> list[Delivery]:
    """Count the copies for each of the readers, and for any other program that would read a rule.

    `forms` are the normal forms of the rules by id: a line of the user's own that says the same is a copy too.
    """
    documents = [document for document in documents if document.target != "skill"]
    rules = list(dict.fromkeys(line.rule_id for document in documents for line in document.lines))
    present = repository.present | {document.path for document in documents}
    said = {path: repository.says(path) for path in repository.texts}
    found = []
    for reader in READERS:
        copies = _copies(reader, repository, present, documents)
        for path in reader.files(repository, repository.present).elements():
            copies.update(rule for rule in rules if forms.get(rule) in said.get(path, ()))
        if rules and (reader in readers or copies.total()):
            found.append(_delivery(reader, rules, copies))
    return found


def hidden_files(repository: Repository, documents: Sequence[Document]) -> list[HiddenFile]:
    """Return the user's files that some program would stop reading, with what to do about it."""
    places = [document.path for document in documents if not document.globs and document.target != "skill"]
    return [
        HiddenFile(
            path=path,
            reader=reader.name,
            remedy=f"{reader.name} reads only the first of several files. Render another target, or move the text "
            f"of {path} to the file that is read.",
        )
        for reader, path in hidden_by(repository, places)
    ]


def _copies(
    reader: Reader, repository: Repository, present: frozenset[str], documents: Sequence[Document]
) -> Counter[str]:
    """Count each rule in what the reader gets of the documents; a link is the file it leads to."""
    always = reader.files(repository, present)
    copies: Counter[str] = Counter()
    for document in _different(reader, repository, documents):
        times = (
            int(document.target in reader.scoped) if document.globs else always[_real(repository, document)]
        )
        copies.update({line.rule_id: times for line in document.lines})
    return copies


def _different(reader: Reader, repository: Repository, documents: Sequence[Document]) -> Collection[Document]:
    """Leave out documents in the same file, and for some readers in a file with the same text."""
    files = {_real(repository, document): document for document in documents}
    if not reader.drops_equal:
        return files.values()
    texts = {path: (repository.texts.get(path, ""), document.text) for path, document in files.items()}
    return {texts[path] if document.text else path: document for path, document in files.items()}.values()


def _real(repository: Repository, document: Document) -> str:
    return repository.real(document.path)


def _delivery(reader: Reader, rules: Sequence[str], copies: Counter[str]) -> Delivery:
    return Delivery(
        reader=reader.name,
        target=reader.target,
        once=sum(count == 1 for count in copies.values()),
        more={rule: copies[rule] for rule in rules if copies[rule] > 1},
        never=[rule for rule in rules if not copies[rule]],
    )
