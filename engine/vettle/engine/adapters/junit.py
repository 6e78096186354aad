"""What CI measured: JUnit XML of the tests, and Cobertura XML of their coverage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from vettle.engine.adapters import Item, Signal
from vettle.engine.adapters.describing import described
from vettle.engine.errors import SourceDamaged
from vettle.engine.exchange import reading
from vettle.engine.experiments.design import MetricInput
from vettle.engine.experiments.runs import RunInput

_OUTCOMES = ("failure", "error", "skipped")
_FLAKY = ("flakyFailure", "flakyError")


class JUnitAdapter:
    """All files together are one run: the tests of one piece of work, in as many reports as CI wrote.

    Test cases are counted, not the totals in the head of a report, which some tools leave at 0. A skipped
    test is neither passed nor failed. `pass_rate` is missing where no test ran.
    """

    metrics = (
        MetricInput(name="all_passed", direction="higher", kind="binary"),
        MetricInput(name="pass_rate", direction="higher", range=(0, 1)),
        MetricInput(name="line_coverage", direction="higher", range=(0, 1)),
        MetricInput(name="branch_coverage", direction="higher", range=(0, 1)),
        MetricInput(name="tests_failed", direction="lower", kind="count"),
    )

    def collect(self, sources: Sequence[Path]) -> list[Item]:
        """Read every report: one item for each, of tests or of coverage."""
        return [_report(path) for path in sources]

    def signals(self, items: Sequence[Item]) -> list[Signal]:
        """Add the reports up to one run."""
        if not items:
            return []
        total: Counter[str] = Counter()
        coverage: dict[str, float] = {}
        for item in items:
            if item.values["kind"] == "tests":
                total.update(item.values["counts"])
            else:
                coverage |= item.values["coverage"]
        seconds = sum(item.values.get("seconds", 0.0) for item in items)
        metrics: dict[str, float | None] = {**_tests(total), **coverage}
        if not any(item.values["kind"] == "tests" for item in items):
            metrics = dict(coverage)
        failed = total["failure"] + total["error"]
        run = RunInput(
            metrics=metrics,
            duration_ms=round(seconds * 1_000, 3),
            failure_mode="tests failed" if failed else "",
        )
        return [Signal(items[0].place, run)]

    def context(self, top: Sequence[Signal], bottom: Sequence[Signal]) -> str:
        """Describe the best and the worst builds."""
        return described(top, bottom)


def _tests(total: Counter[str]) -> dict[str, float | None]:
    failed = total["failure"] + total["error"]
    ran = total["cases"] - total["skipped"]
    return {
        "tests_run": float(ran),
        "tests_failed": float(failed),
        "tests_skipped": float(total["skipped"]),
        "tests_flaky": float(total["flaky"]),
        "pass_rate": (ran - failed) / ran if ran else None,
        "all_passed": float(failed == 0) if ran else None,
    }


def _report(path: Path) -> Item:
    root = _parsed(path)
    tag = _name(root)
    if tag in ("testsuites", "testsuite"):
        return Item(path.name, _suites(path, root))
    if tag == "coverage":
        return Item(path.name, {"kind": "coverage", "coverage": _coverage(path, root)})
    raise SourceDamaged(
        path.name, 0, f"its root is <{tag[:40]}>, not <testsuites>, <testsuite> or <coverage>"
    )


def _parsed(path: Path) -> Element:
    # Imported here: few commands read XML. It refuses entities, which could expand to gigabytes.
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    text = reading.text(path, path.name)
    try:
        root: Element = fromstring(text.encode("utf-8"))
    except ParseError as error:
        raise SourceDamaged(path.name, error.position[0], f"not XML ({error})") from error
    except DefusedXmlException as error:
        raise SourceDamaged(path.name, 0, "it declares entities, which no report needs") from error
    return root


def _name(element: Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def _suites(path: Path, root: Element) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    seconds = 0.0
    for case in (element for element in root.iter() if _name(element) == "testcase"):
        children = {_name(child) for child in case}
        counts["cases"] += 1
        seconds += _number(path, case, "time")
        counts["flaky"] += bool(children.intersection(_FLAKY))
        outcome = next((name for name in _OUTCOMES if name in children), "")
        if outcome:
            counts[outcome] += 1
    return {"kind": "tests", "counts": counts, "seconds": seconds}


def _coverage(path: Path, root: Element) -> dict[str, float]:
    found = {}
    for metric, attribute, known in (
        ("line_coverage", "line-rate", "lines-valid"),
        ("branch_coverage", "branch-rate", "branches-valid"),
    ):
        # A rate over nothing is written as 0 or 1, and says nothing.
        if attribute in root.attrib and root.get(known, "1") not in ("0", ""):
            rate = _number(path, root, attribute)
            if rate > 1:
                raise SourceDamaged(path.name, 0, f"{attribute} is {rate:g}, beyond 1")
            found[metric] = rate
    return found


def _number(path: Path, element: Element, attribute: str) -> float:
    text = (element.get(attribute) or "0").replace(",", "")
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise SourceDamaged(path.name, 0, f"{attribute} of <{_name(element)}> is {text[:40]!r}, not a number")
    return value
