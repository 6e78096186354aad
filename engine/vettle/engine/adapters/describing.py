"""How an adapter without words of its own describes its best and worst runs."""

from __future__ import annotations

from collections.abc import Sequence

from vettle.engine.adapters import Signal
from vettle.engine.quarantine import shown


def described(top: Sequence[Signal], bottom: Sequence[Signal]) -> str:
    """Return one line for each run with its variant and its metrics, the best first."""
    lines = []
    for heading, signals in (("Best:", top), ("Worst:", bottom)):
        if signals:
            lines += [heading, *(f"  {_line(signal)}" for signal in signals)]
    return "\n".join(lines)


def _line(signal: Signal) -> str:
    run = signal.run
    name = " ".join(part for part in (run.unit or run.assignment_id, run.variant) if part)
    metrics = ", ".join(
        f"{metric} {value:g}" for metric, value in sorted(run.metrics.items()) if value is not None
    )
    return f"{shown(name, 120)}: {metrics or 'nothing measured'}"
