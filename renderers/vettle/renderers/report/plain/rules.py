"""What rules are worth, in text: proven, on trial, retired."""

from __future__ import annotations

from collections.abc import Sequence

from vettle.engine.effects import CLAIM
from vettle.engine.records.overview import Overview, RuleStanding
from vettle.engine.records.rules import Estimate, RuleDetails
from vettle.renderers.report import figures, sentences, words
from vettle.renderers.report.plain import plots
from vettle.renderers.report.plain.columns import padded, width
from vettle.renderers.report.plain.page import PLAIN, Line, Page
from vettle.renderers.report.plots import intervals
from vettle.renderers.report.plots.intervals import Interval
from vettle.renderers.report.scales import Scale

_BELIEVED, _BY_COINS = "believed", "by coins"
_LEAST, _MOST = 24, 60
_INDENT = "  "


def proven(page: Page, overview: Overview) -> None:
    """Add the rules that reach the assistants' files."""
    page.heading("What is proven")
    shown = overview.proven[: page.limits.rules]
    if not shown:
        page.say(sentences.NOTHING_PROVEN)
        return
    page.say(
        "Only these reach your assistants' files. A rule is proven when recorded coin flips, not opinions, have brought "
        f"its evidence to {CLAIM:.0f}; one that is pinned is here because a person insists."
    )
    if any(map(sentences.is_open, shown)):
        page.say(sentences.COARSER)
    scale = _shared_scale(page, shown)
    for standing in shown:
        _proven(page, standing, scale)
    page.gap()
    page.left_out(sentences.rules_of(overview, "proven", "pinned") - len(shown), "rule")
    if said := sentences.discoveries(overview):
        page.say(said)


def _proven(page: Page, standing: RuleStanding, scale: Scale) -> None:
    rule = standing.rule
    page.subheading(rule.text)
    _origin(page, standing, "pinned since" if rule.status == "pinned" else "proven since")
    _effects(page, rule, scale)
    evidence = f"evidence {words.evidence(rule.e_works)}"
    if rule.status == "pinned" and rule.e_works < CLAIM:
        page.say(("pinned by a person", "strong"), f": {evidence}, which proves nothing yet.", first=_INDENT)
    else:
        page.say((evidence, "helps"), f": {sentences.proof(standing)}", first=_INDENT)
    if rule.reason:
        page.say((f"Reason at that time: {sentences.plainly(rule.reason)}", "soft"), first=_INDENT)
    if rule.missing_suspected:
        page.say("Beware: whether an outcome is logged seems to depend on showing this rule.", first=_INDENT)


def trial(page: Page, overview: Overview) -> None:
    """Add the rules on trial, and how far each is from a proof."""
    page.heading("On trial")
    shown = overview.trial[: page.limits.rules]
    if not shown:
        page.say("No rule is on trial. vettle rule add puts one there.")
    else:
        page.say(sentences.EVIDENCE)
        scale = _shared_scale(page, shown)
        for standing in shown:
            _trial(page, standing, scale)
    page.gap()
    page.left_out(len(overview.trial) - len(shown) + overview.more_trial, "rule")


def _trial(page: Page, standing: RuleStanding, scale: Scale) -> None:
    rule = standing.rule
    page.subheading(rule.text)
    _origin(page, standing, "on trial since")
    _effects(page, rule, scale)
    room = min(page.width - len(_INDENT) - 6, 40)
    track = plots.bar(page.glyphs, words.share_of_claim(rule.e_works), room)
    page.draw([(f"{_INDENT}1 ", "soft"), (track, "accent"), (f"{page.glyphs.goal} {CLAIM:.0f}", "soft")])
    said = f": evidence {words.evidence(rule.e_works)} of {CLAIM:.0f}. {sentences.outlook(standing)}"
    page.say((words.brief(rule.verdict), "strong"), said, first=_INDENT)


def retired(page: Page, overview: Overview) -> None:
    """Add the rules that were taken out, and the ids of those that wait for a person."""
    page.heading("Retired and quarantined")
    rows = page.limits.rows
    if overview.quarantined:
        page.say(
            (
                f"{words.counted(sentences.rules_of(overview, 'quarantined'), 'rule')} must be looked at by a person.",
                "strong",
            ),
            " They hold something that no assistant should read unseen, so their text is not on this page: "
            "vettle explain ID shows it, vettle rule decide ID approve REASON or reject settles it.",
        )
        for identifier in overview.quarantined[:rows]:
            page.bullet(identifier)
        left_out = sentences.rules_of(overview, "quarantined") - len(overview.quarantined[:rows])
        page.left_out(left_out, "rule")
        page.gap()
    shown = overview.retired[:rows]
    if not shown:
        page.say("No rule was retired.")
    for standing in shown:
        _retired(page, standing)
    page.gap()
    page.left_out(len(overview.retired) - len(shown) + overview.more_retired, "rule")


def _retired(page: Page, standing: RuleStanding) -> None:
    rule = standing.rule
    facts = (
        rule.id,
        f"since {words.day(standing.since)}",
        f"effect {words.signed(rule.effect)}",
        f"shown {words.count(rule.shown)}, withheld {words.count(rule.withheld)}",
    )
    page.subheading(rule.text)
    page.say((page.joined(facts), "soft"), first=_INDENT)
    hurts = rule.e_hurts >= CLAIM
    page.say(
        ("proven to hurt" if hurts else "", "hurts"),
        ": " if hurts else "",
        sentences.plainly(rule.verdict),
        first=_INDENT,
    )


def _origin(page: Page, standing: RuleStanding, since: str) -> None:
    rule = standing.rule
    patterns = ", ".join(rule.globs[:3])
    if len(rule.globs) > 3:
        patterns += f" and {words.counted(len(rule.globs) - 3, 'more pattern')}"
    facts = (
        rule.id,
        f"{since} {words.day(standing.since)}",
        f"for {rule.context}" if rule.context else "",
        patterns,
        words.counted(standing.tokens, "token"),
    )
    page.say((page.joined(facts), "soft"), first=_INDENT)


def _shared_scale(page: Page, shown: Sequence[RuleStanding]) -> Scale:
    """Add the key of the rules of a section, and return the scale on which they can be compared."""
    scale = figures.effect_scale(shown)
    _key(page, scale, coins=any(one.rule.causal_effect is not None for one in shown))
    return scale


def _key(page: Page, scale: Scale, *, coins: bool) -> None:
    """Say what the marks mean, and draw the axis."""
    glyphs = page.glyphs
    page.gap()
    page.say(
        f"{glyphs.belief} believed, 90 % interval"
        + (f"; {glyphs.proof} by coin flips, 90 % at any time" if coins else "")
        + ". The change of the session score:"
    )
    room, before = _room(page)
    page.draw([(" " * before + page.plain(plots.axis(scale, room)), "soft")])


def effect(page: Page, rule: Estimate | RuleDetails) -> None:
    """Add what is known about one rule, on a scale of its own that reaches no farther than an effect can."""
    scale = intervals.scale((interval for _, interval in _intervals(rule)), most=1.0)
    _key(page, scale, coins=rule.causal_effect is not None)
    _effects(page, rule, scale)


def _intervals(rule: Estimate | RuleDetails) -> list[tuple[str, Interval]]:
    found = [(_BELIEVED, Interval(rule.effect, rule.low, rule.high))]
    if rule.causal_effect is not None:
        found.append((_BY_COINS, Interval(rule.causal_effect, rule.causal_low, rule.causal_high)))
    return found


def _effects(page: Page, rule: Estimate | RuleDetails, scale: Scale) -> None:
    """Add what is believed about a rule, what its coin flips say, and how often it was shown."""
    room, _ = _room(page)
    for label, of in _intervals(rule):
        mark = page.glyphs.belief if label == _BELIEVED else page.glyphs.proof
        said = f"{words.signed(of.estimate)} ({words.limits(of.low, of.high)})"
        _effect(page, label, plots.interval(page.glyphs, scale, of, room, mark), said)
    facts = (
        f"chance that it helps {words.chance(rule.chance_helps)}",
        f"shown {words.count(rule.shown)}, withheld {words.count(rule.withheld)}",
    )
    page.say(page.joined(facts), first=_INDENT)


def _effect(page: Page, label: str, drawing: Line, said: str) -> None:
    room, before = _room(page)
    number = page.plain(said)
    if before > len(_INDENT) and before + room + 2 + width(number) <= page.width:
        name = padded(label, before - len(_INDENT))
        page.draw([(_INDENT + name, "soft"), *drawing, (f"  {number}", PLAIN)])
        return
    page.say((label, "soft"), f" {said}", first=_INDENT)
    page.draw([(_INDENT, PLAIN), *drawing])


def _room(page: Page) -> tuple[int, int]:
    """Return how wide intervals are drawn, and where they begin."""
    before = len(_INDENT) + max(len(_BELIEVED), len(_BY_COINS)) + 2
    beside = page.width - before - len("  +0.00 (+0.00 to +0.00)")
    if beside >= _LEAST:
        return min(beside, _MOST), before
    return page.width - len(_INDENT), len(_INDENT)
