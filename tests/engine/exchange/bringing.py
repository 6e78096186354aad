"""What the tests of imports share: bringing a file in, asking what came of it, and damaging it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import strategies as st
from tests.conftest import ManualClock

from vettle.engine.errors import SourceDamaged
from vettle.engine.exchange import systems
from vettle.engine.exchange.importing import import_reading
from vettle.engine.experiments import listing, results
from vettle.engine.project import Project
from vettle.engine.records import ExperimentResults
from vettle.engine.records.exchange import DataImported
from vettle.engine.store import MEMORY, open_store


def bring(project: Project, path: Path, system: str) -> DataImported:
    """Import a path, and see that its files stayed as they were."""
    before = _state(path)
    imported = import_reading(project, systems.named(system).read(path))
    assert _state(path) == before
    return imported


def _state(path: Path) -> list[tuple[str, bytes, int]]:
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return [(file.name, file.read_bytes(), file.stat().st_mtime_ns) for file in files if file.is_file()]


def ask(project: Project, name: str) -> ExperimentResults:
    """Return the results of the one experiment whose name begins so."""
    every = listing.listed(project).experiments
    [found] = [one for one in every if one.name.startswith(name)]
    return results.results(project, experiment=found.id)


def reasons(imported: DataImported) -> list[str]:
    """Return why rows were left out."""
    return [row.reason for file in imported.files for row in file.skipped]


damages = st.tuples(
    st.sampled_from(["cut", "flip", "insert"]), st.floats(0, 1, exclude_max=True), st.integers(0, 255)
)
"""What happens to a file, where in it, and with which byte."""


def damaged(data: bytes, damage: tuple[str, float, int]) -> bytes:
    """Return the data with one damage."""
    what, share, byte = damage
    at = int(share * len(data))
    if what == "cut":
        return data[:at]
    return data[:at] + bytes([byte]) + data[at + (what == "flip") :]


def survives(data: bytes, suffix: str, system: str) -> bool:
    """Import a file that may be damaged: True if it was taken; False if it was refused by name, with no trace left.

    What was taken can be asked about. Any other exception goes through. Whether it is recognised is asked too, since that must never raise.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"source{suffix}"
        path.write_bytes(data)
        clock = ManualClock()
        project = Project(Path(folder), clock=clock, store=open_store(MEMORY, clock=clock))
        try:
            systems.named(system).recognises(path)
            first = import_reading(project, systems.named(system).read(path))
            again = import_reading(project, systems.named(system).read(path))
            assert not again.new and again.known == sum(file.taken + file.known for file in first.files)
            for one in listing.listed(project).experiments:
                results.results(project, experiment=one.id)
        except SourceDamaged as error:
            assert path.name in str(error)
            assert list(Path(folder).iterdir()) == [path]
            return False
        finally:
            project.close()
        return True
