"""The adapter of short videos: two formulas, and nothing that was not counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vettle.engine.adapters import Signal
from vettle.engine.adapters.short_video import ShortVideoAdapter
from vettle.engine.errors import SourceDamaged


def _signals(folder: Path, *rows: dict[str, Any]) -> list[Signal]:
    file = folder / "videos.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    adapter = ShortVideoAdapter()
    return adapter.signals(adapter.collect([file]))


def test_youtube_is_the_mean_view_percentage(tmp_path: Path) -> None:
    """Rows of one video are averaged; other numbers of the platform come along."""
    row = {"platform": "youtube", "id": "v1", "variant": "hook"}
    [signal] = _signals(
        tmp_path, {**row, "avg_view_pct": 40, "views": 100}, {**row, "avg_view_pct": 60, "views": 300}
    )
    assert signal.run.metrics == {"view_percentage": 50.0, "views": 200.0}
    assert (signal.run.unit, signal.run.variant) == ("v1", "hook")
    assert signal.run.dimensions == {"platform": "youtube"}


def test_an_assigned_video_is_its_assignment(tmp_path: Path) -> None:
    """A row may name its assignment beside the platform's id; one name alone is recorded, or the run is refused."""
    row = {"platform": "youtube", "id": "v1", "avg_view_pct": 40}
    [signal] = _signals(tmp_path, {**row, "assignment_id": "a-7"}, row)
    assert (signal.run.assignment_id, signal.run.unit) == ("a-7", "")


def test_a_video_of_two_variants_is_refused(tmp_path: Path) -> None:
    """No row decides for the others which variant their video is."""
    row = {"platform": "youtube", "id": "v1", "avg_view_pct": 40}
    with pytest.raises(SourceDamaged, match=r"videos\.jsonl:2.*more than one variant: hook, plain"):
        _signals(tmp_path, {**row, "variant": "hook"}, {**row, "variant": "plain"})


def test_a_count_below_zero_is_refused(tmp_path: Path) -> None:
    """A negative count is damage, and gives no negative engagement."""
    counts = {"saves": 4, "shares": 3, "comments": 2, "likes": -10, "reach": 200}
    with pytest.raises(SourceDamaged, match="below 0"):
        _signals(tmp_path, {"platform": "instagram", "id": "v", **counts})


def test_instagram_weighs_engagement_by_reach(tmp_path: Path) -> None:
    """(3 saves + 2 shares + 2 comments + likes) / reach x 100, computed by hand here."""
    counts = {"saves": 4, "shares": 3, "comments": 2, "likes": 10, "reach": 200}
    [signal] = _signals(tmp_path, {"platform": "instagram", "id": "v", **counts})
    assert signal.run.metrics["engagement"] == pytest.approx((12 + 6 + 4 + 10) / 200 * 100)


@pytest.mark.parametrize("absent", ["saves", "shares", "comments", "likes", "reach"])
def test_what_was_not_counted_is_not_zero(tmp_path: Path, absent: str) -> None:
    """Without a part of the formula there is no engagement, instead of one that is too low."""
    counts = {"saves": 4, "shares": 3, "comments": 2, "likes": 10, "reach": 200}
    del counts[absent]
    [signal] = _signals(tmp_path, {"platform": "instagram", "id": "v", **counts})
    assert signal.run.metrics["engagement"] is None


def test_nothing_is_reached_by_nobody(tmp_path: Path) -> None:
    """A reach of 0 gives no engagement, and no division by zero."""
    counts = {"saves": 0, "shares": 0, "comments": 0, "likes": 0, "reach": 0}
    [signal] = _signals(tmp_path, {"platform": "instagram", "id": "v", **counts})
    assert signal.run.metrics["engagement"] is None


@pytest.mark.parametrize(
    "row",
    [
        {"platform": "vimeo", "id": "v"},
        {"id": "v"},
        {"platform": "youtube"},
        {"platform": "youtube", "id": "v", "avg_view_pct": 140},
        {"platform": "youtube", "id": "v", "avg_view_pct": "12%"},
    ],
)
def test_a_row_that_means_nothing_is_named(tmp_path: Path, row: dict[str, Any]) -> None:
    """An unknown platform, a missing id and an impossible percentage are refused by their line."""
    with pytest.raises(SourceDamaged, match=r"videos\.jsonl:1"):
        _signals(tmp_path, row)
