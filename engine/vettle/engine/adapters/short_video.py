"""Short videos on YouTube and Instagram, from numbers that the caller took from the platforms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from vettle.engine.adapters import Item, Signal
from vettle.engine.adapters.describing import described
from vettle.engine.adapters.tabular import checked, damaged, is_empty, measured, rows
from vettle.engine.experiments.design import MetricInput

_WEIGHTS = {"saves": 3, "shares": 2, "comments": 2, "likes": 1}
_OTHER = (
    "views", "avg_view_sec", "like_rate", "subscribers_gained", "reach", "avg_watch_time_ms", "total_interactions",
    *_WEIGHTS,
)  # fmt: skip
_IDENTITY = ("variant", "assignment_id")
_KEPT = (*_IDENTITY, "produced_at", "stratum", "pair_id")


class ShortVideoAdapter:
    """Rows (CSV or JSONL) with `platform` youtube or instagram, `id` of the video, and what the platform counted.

    The rows of one video are averaged, and it is the unit unless they name an `assignment_id`. `view_percentage`
    is the mean of YouTube's avg_view_pct (0 to 100); `engagement` is (3 saves + 2 shares + 2 comments + likes) /
    reach x 100, the mean over rows with a reach. A row that lacks a part of the formula has no engagement: what
    was not counted is not 0.
    """

    metrics = (
        MetricInput(name="view_percentage", direction="higher", range=(0, 100)),
        MetricInput(name="engagement", direction="higher"),
    )

    def collect(self, sources: Sequence[Path]) -> list[Item]:
        """Read every row of the files."""
        return rows(sources)

    def signals(self, items: Sequence[Item]) -> list[Signal]:
        """Turn the rows of each video into one run."""
        videos: dict[tuple[str, str], list[Item]] = {}
        for item in items:
            videos.setdefault((_platform(item), _identity(item)), []).append(item)
        return [_signal(platform, unit, group) for (platform, unit), group in videos.items()]

    def context(self, top: Sequence[Signal], bottom: Sequence[Signal]) -> str:
        """Describe the videos that did best and worst."""
        return described(top, bottom)


def _signal(platform: str, unit: str, group: Sequence[Item]) -> Signal:
    primary = _PLATFORMS[platform]
    metrics = {_NAMES[platform]: _mean([primary(item) for item in group])}
    for name in _OTHER:
        if any(name in item.values for item in group):
            metrics[name] = _mean([measured(item, name) for item in group])
    kept = {name: value for name in _KEPT if (value := _last(group, name))}
    if "assignment_id" not in kept:
        kept["unit"] = unit
    return Signal(
        group[0].place, checked(group[0], metrics=metrics, dimensions={"platform": platform}, **kept)
    )


def _last(group: Sequence[Item], name: str) -> str:
    """Return what the last row that says it says, "" if none does; of whom the video is, they may not disagree."""
    said = [str(item.values[name]).strip() for item in group if not is_empty(item.values.get(name))]
    if name in _IDENTITY and len(set(said)) > 1:
        raise damaged(
            group[-1], f"the rows of this video name more than one {name}: {said[0][:40]}, {said[-1][:40]}"
        )
    return said[-1] if said else ""


def _platform(item: Item) -> str:
    platform = str(item.values.get("platform", "")).strip().lower()
    if platform not in _PLATFORMS:
        raise damaged(item, f"platform is {platform[:40]!r}; valid: {', '.join(_PLATFORMS)}")
    return platform


def _identity(item: Item) -> str:
    for name in ("id", "unit"):
        if not is_empty(item.values.get(name)):
            return str(item.values[name]).strip()
    raise damaged(item, "it has no id")


def _view_percentage(item: Item) -> float | None:
    value = measured(item, "avg_view_pct")
    if value is not None and not 0 <= value <= 100:
        raise damaged(item, f"avg_view_pct is {value:g}, not from 0 to 100")
    return value


def _engagement(item: Item) -> float | None:
    counts = [(weight, measured(item, name)) for name, weight in _WEIGHTS.items()]
    reach = measured(item, "reach")
    if min((value for value in (reach, *(count for _, count in counts)) if value is not None), default=0) < 0:
        raise damaged(item, "a count is below 0")
    if not reach or any(count is None for _, count in counts):
        return None
    return sum(weight * (count or 0.0) for weight, count in counts) / reach * 100


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


_PLATFORMS: dict[str, Callable[[Item], float | None]] = {
    "youtube": _view_percentage,
    "instagram": _engagement,
}
_NAMES = {"youtube": "view_percentage", "instagram": "engagement"}
