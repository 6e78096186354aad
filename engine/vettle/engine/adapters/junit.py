"""What CI measured: JUnit XML of the tests, and Cobertura XML of their coverage."""

from __future__ import annotations

import math
import re
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

_SUITES = ("testsuites", "testsuite")
_OUTCOMES = ("failure", "error", "skipped")
_FLAKY = ("flakyFailure", "flakyError")
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")


class JUnitAdapter:
    """All files together are one run: the tests of one piece of work, in as many reports as CI wrote.

    Test cases are counted, not the totals in the head of a report, which some tools leave at 0. A skipped
    test is neither passed nor failed. `pass_rate` is missing where no test ran. Reports of coverage are pooled by
    their lines and branches.
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
        tests = [item for item in items if item.values["kind"] == "tests"]
        for item in tests:
            total.update(item.values["counts"])
        seconds = sum(item.values["seconds"] for item in tests)
        metrics = {
            **(_tests(total) if tests else {}),
            **_pooled([item for item in items if item.values["kind"] == "coverage"]),
        }
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


def test_cases(path: Path) -> list[Element]:
    """Return every test case of a JUnit report, in its order (SourceDamaged)."""
    root = _parsed(path)
    if local_name(root) not in _SUITES:
        raise SourceDamaged(
            path.name, 0, f"its root is <{local_name(root)[:40]}>, not <testsuites> or <testsuite>"
        )
    return _cases(root)


def local_name(element: Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def _cases(root: Element) -> list[Element]:
    return [element for element in root.iter() if local_name(element) == "testcase"]


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


def _pooled(items: Sequence[Item]) -> dict[str, float]:
    """Return the coverage of all reports together: each counts by the lines or branches that it is about."""
    pooled = {}
    for metric in dict.fromkeys(name for item in items for name in item.values["coverage"]):
        about = [item for item in items if metric in item.values["coverage"]]
        rates, sizes = zip(*(item.values["coverage"][metric] for item in about), strict=True)
        if len(about) > 1 and not all(sizes):
            sizeless = about[sizes.index(0)]
            raise SourceDamaged(
                sizeless.place,
                0,
                f"it does not say what its {metric} is a share of, so it cannot be added to others",
            )
        pooled[metric] = rates[0] if len(about) == 1 else _weighted(rates, sizes)
    return pooled


def _weighted(values: Sequence[float], weights: Sequence[float]) -> float:
    return math.fsum(value * weight for value, weight in zip(values, weights, strict=True)) / math.fsum(
        weights
    )


def _report(path: Path) -> Item:
    root = _parsed(path)
    tag = local_name(root)
    if tag in _SUITES:
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
        root: Element = fromstring(text)
    except ParseError as error:
        raise SourceDamaged(path.name, error.position[0], f"not XML ({error})") from error
    except DefusedXmlException as error:
        raise SourceDamaged(path.name, 0, "it declares entities, which no report needs") from error
    return root


def _suites(path: Path, root: Element) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    seconds = 0.0
    for case in _cases(root):
        children = {local_name(child) for child in case}
        counts["cases"] += 1
        seconds += _number(path, case, "time")
        counts["flaky"] += bool(children.intersection(_FLAKY))
        outcome = next((name for name in _OUTCOMES if name in children), "")
        if outcome:
            counts[outcome] += 1
    return {"kind": "tests", "counts": counts, "seconds": seconds}


def _coverage(path: Path, root: Element) -> dict[str, tuple[float, float]]:
    """Return each rate with the number of lines or branches that it is about, 0 where the report does not say."""
    found = {}
    for metric, attribute, known in (
        ("line_coverage", "line-rate", "lines-valid"),
        ("branch_coverage", "branch-rate", "branches-valid"),
    ):
        # A rate over nothing is written as 0 or 1, and says nothing.
        if root.get(attribute) and root.get(known, "1") not in ("0", ""):
            rate = _number(path, root, attribute)
            if rate > 1:
                raise SourceDamaged(path.name, 0, f"{attribute} is {rate:g}, beyond 1")
            found[metric] = (rate, _number(path, root, known))
    return found


def _number(path: Path, element: Element, attribute: str) -> float:
    text = element.get(attribute) or "0"
    # Maven groups thousands ("1,234.5"); a comma that groups nothing ("0,012") is some locale's decimal point.
    plain = text.replace(",", "" if _GROUPED.fullmatch(text) else ".")
    try:
        value = float(plain)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise SourceDamaged(
            path.name, 0, f"{attribute} of <{local_name(element)}> is {text[:40]!r}, not a number"
        )
    return value
