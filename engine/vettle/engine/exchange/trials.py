"""Experiments as they come out of another system's rows: variants turn up one by one, and may be many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from vettle.engine.exchange.facts import Ending, ExperimentFact, Place
from vettle.engine.exchange.fitting import LABEL_CHARACTERS, label
from vettle.engine.experiments.design import MOST_VARIANTS, MetricInput, VariantInput
from vettle.engine.identifiers import digest
from vettle.engine.space import variant_id


@dataclass(slots=True)
class Trial:
    """One experiment being read; `key` is that of its fact. Of more variants than one can hold it makes several."""

    key: str
    place: Place
    name: str
    variants: dict[str, VariantInput] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)
    _number: dict[str, int] = field(default_factory=dict)

    def add(
        self,
        identity: str,
        name: str,
        config: Mapping[str, JsonValue] | None = None,
        *,
        hint: str = "",
        control: bool = False,
    ) -> None:
        """Add a variant that the other system calls `identity`, unless it is there.

        Two variants stay two: where names or configurations are equal, the later one's carry the identity.
        """
        if identity in self.variants:
            return
        name = label(name) or label(identity) or "(no name)"
        if name in self._taken:
            name = f"{name[: LABEL_CHARACTERS - 9]} {digest(identity).hex()[:8]}"
        settings = dict(config or {})
        if variant_id(settings or {"name": name}) in self._taken:
            settings["variant"] = label(identity)
        self._taken |= {name, variant_id(settings or {"name": name})}
        self._number[identity] = len(self.variants)
        control = control and not any(one.control for one in self.variants.values())
        self.variants[identity] = VariantInput(name=name, config=settings, hint=hint, control=control)

    def of(self, identity: str) -> tuple[str, str]:
        """Return the key of the experiment that has the variant, and the variant's name in it."""
        return self._key(self._number[identity] // MOST_VARIANTS), self.variants[identity].name

    def facts(
        self,
        metric: MetricInput,
        *,
        domain: str = "",
        variable: str = "",
        description: str = "",
        ending: Ending = "concluded",
        said: str = "",
        created: int = 0,
    ) -> Iterator[ExperimentFact]:
        """Yield the experiment, in parts if it has too many variants for one; none if it has no variant."""
        variants = list(self.variants.values())
        for part in range(-(-len(variants) // MOST_VARIANTS)):
            yield ExperimentFact(
                key=self._key(part),
                place=self.place,
                name=label(self.name if not part else f"{self.name}, part {part + 1}") or "imported",
                variants=tuple(variants[part * MOST_VARIANTS : (part + 1) * MOST_VARIANTS]),
                metric=metric,
                domain=domain,
                variable=variable,
                description=description,
                ending=ending,
                said=said,
                created=created,
            )

    def _key(self, part: int) -> str:
        return f"{self.key} part {part + 1}" if part else self.key


def most_recorded(names: Iterable[str]) -> str:
    """Return the name that stands there most often, the first in the alphabet of several; "" if there is none."""
    counts = Counter(names)
    return min(counts, key=lambda name: (-counts[name], name), default="")
