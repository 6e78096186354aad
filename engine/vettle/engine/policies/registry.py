"""Every policy by its name, for callers who name it at run time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from vettle.engine.errors import InvalidArgument
from vettle.engine.policies.fixed import uniform, weighted
from vettle.engine.policies.greedy import best_so_far, epsilon_greedy
from vettle.engine.policies.options import Choice, Option
from vettle.engine.policies.scored import score
from vettle.engine.policies.thompson import thompson
from vettle.engine.policies.top_two import top_two
from vettle.engine.policies.ucb import ucb

if TYPE_CHECKING:
    import numpy as np


class Policy(NamedTuple):
    """A function of options and a generator, and the names of the settings it takes."""

    function: Callable[..., Choice]
    settings: tuple[str, ...] = ()


POLICIES = {
    "best_so_far": Policy(best_so_far),
    "epsilon_greedy": Policy(epsilon_greedy, ("epsilon",)),
    "score": Policy(score),
    "thompson": Policy(thompson, ("draws",)),
    "top_two": Policy(top_two, ("draws", "floor")),
    "ucb": Policy(ucb, ("exploration",)),
    "uniform": Policy(uniform),
    "weighted": Policy(weighted),
}


def choose(
    policy: str, options: Sequence[Option], generator: np.random.Generator, **settings: float
) -> Choice:
    """Choose one of `options` by the policy of that name; equal inputs and generator, equal choice.

    Raises InvalidArgument for an unknown policy or setting, for no options, for an id given twice, and for
    whatever the policy itself refuses.
    """
    known = POLICIES.get(policy)
    if known is None:
        raise InvalidArgument("policy", f"no policy {policy[:80]!r}", f"Valid: {', '.join(POLICIES)}")
    unknown = sorted(set(settings) - set(known.settings))
    if unknown:
        valid = ", ".join(known.settings) or "none"
        raise InvalidArgument(unknown[0][:80], f"{policy} has no such setting", f"Valid: {valid}")
    if not options:
        raise InvalidArgument("options", "there are none", "Pass at least one")
    most_common, times = Counter(option.id for option in options).most_common(1)[0]
    if times > 1:
        raise InvalidArgument(
            "options.id", f"{most_common[:80]!r} is given {times} times", "Pass every option once"
        )
    return known.function(options, generator, **settings)
