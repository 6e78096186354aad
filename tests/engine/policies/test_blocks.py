"""Blocks are balanced, their orders uniform, and the propensity of every run is what it says."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from itertools import permutations

import numpy as np
import pytest

from vettle.engine.errors import InvalidArgument
from vettle.engine.policies.blocks import MOST_RUNS, Block, proportions, serve
from vettle.engine.policies.options import Choice

LIVE = ("a", "b", "c")


def run(
    count: int, live: tuple[str, ...] = LIVE, seed: int = 0, weights: dict[str, float] | None = None
) -> list[Choice]:
    """Serve `count` runs one after another."""
    generator, block, choices = np.random.default_rng(seed), None, []
    for _ in range(count):
        choice, block = serve(block, live, generator, weights=weights)
        choices.append(choice)
    return choices


def test_every_block_holds_every_variant_once() -> None:
    """Whenever it is stopped, no variant is more than one run ahead of another."""
    choices = [choice.id for choice in run(300)]
    for start in range(0, 300, 3):
        assert sorted(choices[start : start + 3]) == ["a", "b", "c"]


def test_orders_are_uniform() -> None:
    """Over 3,000 blocks each of the six orders comes 500 times, within four standard errors."""
    ids = [choice.id for choice in run(9000, seed=1)]
    orders = Counter(tuple(ids[start : start + 3]) for start in range(0, 9000, 3))
    assert set(orders) == set(permutations(LIVE))
    assert all(abs(count - 500) <= 4 * (3000 * 1 / 6 * 5 / 6) ** 0.5 for count in orders.values())


def test_propensities_are_one_over_what_waits() -> None:
    """In a block of three they are 1/3, 1/2 and 1, sum to 1, and are 0 for what has been served."""
    choices = run(3)
    assert [choice.propensity for choice in choices] == [1 / 3, 1 / 2, 1]
    assert all(sum(choice.probabilities) == pytest.approx(1) for choice in choices)
    assert choices[2].probabilities.count(0) == 2
    assert choices[1].reason == "block 1: run 2 of 3, in random order"


def test_propensities_match_frequencies() -> None:
    """For each variant the runs are as many as its propensities add up to, also with weights."""
    choices = run(8000, seed=3, weights={"a": 2, "b": 1, "c": 1})
    for index, variant in enumerate(LIVE):
        expected = sum(choice.probabilities[index] for choice in choices)
        assert abs(sum(choice.id == variant for choice in choices) - expected) <= 4 * (8000 * 0.25) ** 0.5


def test_state_survives_json() -> None:
    """A block written as JSON and read back goes on exactly where it was, whatever the generator."""
    generator = np.random.default_rng(5)
    _, block = serve(None, LIVE, generator)
    again = Block(**json.loads(json.dumps(asdict(block))))
    assert again == block
    assert serve(again, LIVE, np.random.default_rng(99)) == serve(block, LIVE, generator)


def test_an_eliminated_variant_drops_out_of_the_open_block() -> None:
    """What is no longer live is not served, the propensity of the others rises, and the block ends early."""
    first, block = serve(None, LIVE, np.random.default_rng(0))
    gone, stays = (variant for variant in LIVE if variant != first.id)
    live = [first.id, stays]
    second, block = serve(block, live, np.random.default_rng(1))
    assert (second.id, second.propensity) == (stays, 1.0)
    assert gone not in block.order
    third, block = serve(block, live, np.random.default_rng(2))
    assert (block.number, third.propensity) == (1, 0.5)


def test_a_new_variant_waits_for_the_next_block() -> None:
    """A variant that joins is not squeezed into an open block, whose runs it could not be compared with."""
    generator = np.random.default_rng(4)
    _, block = serve(None, ("a", "b"), generator)
    second, block = serve(block, LIVE, generator)
    assert second.propensity == 1.0
    assert second.id != "c"
    _, block = serve(block, LIVE, generator)
    assert sorted(block.order) == ["a", "b", "c"]


def test_items_have_blocks_of_their_own() -> None:
    """Items served in turn each see every variant once before any comes again, and a mix-up is refused."""
    generator = np.random.default_rng(6)
    blocks: dict[str, Block] = {}
    seen: dict[str, list[str]] = {"item 1": [], "item 2": []}
    for step in range(12):
        item = f"item {1 + step % 2}"
        choice, blocks[item] = serve(blocks.get(item), LIVE, generator, item=item)
        seen[item].append(choice.id)
        assert repr(item) in choice.reason
    for ids in seen.values():
        assert sorted(ids[:3]) == sorted(ids[3:]) == ["a", "b", "c"]
    with pytest.raises(InvalidArgument, match="item: 'item 2' is not that of the block"):
        serve(blocks["item 1"], LIVE, generator, item="item 2")


def test_weights_make_longer_blocks() -> None:
    """With 3:1 every block of four holds three and one, in each of the four orders."""
    ids = [choice.id for choice in run(400, ("a", "b"), weights={"a": 3, "b": 1})]
    blocks = ["".join(ids[start : start + 4]) for start in range(0, 400, 4)]
    assert set(blocks) == {"aaab", "aaba", "abaa", "baaa"}


@pytest.mark.parametrize(
    ("weights", "copies"),
    [
        ((1, 1, 1), (1, 1, 1)),
        ((0.9, 0.1, 0), (9, 1, 0)),
        ((30, 10, 20), (3, 1, 2)),
        ((0.5, 0.25, 0.25), (2, 1, 1)),
        ((1e308, 1e308, 0), (1, 1, 0)),
    ],
)
def test_proportions_are_least_whole_numbers(weights: tuple[float, ...], copies: tuple[int, ...]) -> None:
    """Weights become the smallest block in exactly their proportion."""
    assert tuple(proportions(dict(zip(LIVE, weights, strict=True))).values()) == copies


@pytest.mark.parametrize(
    "weights", [(0, 0), (-1, 2), (float("nan"), 1), (float("inf"), 1), (0.123, 0.877), (1, MOST_RUNS)]
)
def test_weights_that_fit_no_block_are_refused(weights: tuple[float, float]) -> None:
    """Nothing to serve, no number, and blocks that would hardly ever be finished are refused."""
    with pytest.raises(InvalidArgument, match="weight"):
        run(1, ("a", "b"), weights=dict(zip("ab", weights, strict=True)))


@pytest.mark.parametrize("live", [(), ("a", "a")])
def test_a_block_needs_distinct_variants(live: tuple[str, ...]) -> None:
    """No live variant, or one listed twice, is refused."""
    with pytest.raises(InvalidArgument, match="live"):
        run(1, live)


def test_a_damaged_block_is_refused() -> None:
    """A block that has served more than it holds is not one."""
    with pytest.raises(InvalidArgument, match="block"):
        Block(0, ("a", "b"), served=3)
