"""The tools of every session: what agents do with rules, mistakes and rewards (see `tool`)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from vettle.engine import mistakes, reports, rewards, rules, sessions, standings
from vettle.engine.arguments import (
    Cursor,
    Description,
    Glob,
    Identifier,
    Label,
    Limit,
    Notes,
    Period,
    Prior,
    ProjectPath,
    Reason,
    RequiredLabel,
    RequiredRuleText,
    RequiredTask,
    RuleText,
    Seed,
    Unit,
    Weight,
)
from vettle.engine.paging import REPLY_CHARACTERS
from vettle.engine.project import Project
from vettle.engine.records import (
    MistakeLogged,
    Rendering,
    Report,
    ReportKind,
    RewardLogged,
    RewardOutcome,
    RewardSource,
    RuleAction,
    RuleAdded,
    RuleDecided,
    RuleSource,
    RulesPage,
    RuleStatus,
    SessionEnded,
    SessionStarted,
    Severity,
    Status,
    Target,
)
from vettle.server import rule_files, surroundings
from vettle.server.hooks import joining
from vettle.server.tool import ClientRef, ResponseFormat, SessionId, Tool

AnyTarget = Literal["auto", Target]


def session_start(
    project: Project,
    task: Annotated[RequiredTask, Field(description="What you will do.")],
    context: Annotated[Label, Field(description='Such as "type-errors".')] = "general",
    paths: Annotated[tuple[ProjectPath, ...], Field(max_length=100, description="Files it is about.")] = (),
    tags: Annotated[tuple[Label, ...], Field(max_length=20)] = (),
    k: Annotated[int, Field(ge=0, le=10, description="Most rules to try.")] = 3,
    candidates: Annotated[
        tuple[Identifier, ...], Field(max_length=500, description="Only these rules.")
    ] = (),
    agent: Label = "",
    model: Label = "",
    seed: Annotated[Seed, Field(description="-1 draws one.")] = -1,
    client_ref: ClientRef = "",
) -> SessionStarted:
    """Start a task: get the rules to follow and the past mistakes to avoid.

    Call it before any work. Returns session_id, rules to follow and mistakes to avoid.
    """
    # Whoever names candidates or a seed asks for a draw of their own.
    under_way = joining.begun(project) if seed < 0 and not candidates else None
    return under_way or sessions.start(
        project,
        task=task,
        context=context,
        paths=paths,
        tags=tags,
        k=k,
        candidates=candidates,
        agent=agent,
        model=model,
        seed=seed,
        client_ref=client_ref,
    )


def mistake_log(
    project: Project,
    error_class: Annotated[RequiredLabel, Field(description='Such as "missing-import".')],
    description: Annotated[Description, Field(description="What went wrong.")],
    session_id: SessionId = "",
    severity: Severity = "warning",
    file: ProjectPath = "",
    corrected_by_rule: Annotated[Identifier, Field(description="Rule that should have prevented it.")] = "",
    correction: Annotated[Notes, Field(description="What put it right.")] = "",
    client_ref: ClientRef = "",
) -> MistakeLogged:
    """Log a mistake when a test fails, a tool errs or a reviewer objects.

    Returns earlier ones with what corrected them, and a rule to add when it keeps coming back.
    """
    joining.catch_up(project)
    return mistakes.log(
        project,
        error_class=error_class,
        description=description,
        session_id=session_id,
        severity=severity,
        file=file,
        corrected_by_rule=corrected_by_rule,
        correction=correction,
        client_ref=client_ref,
    )


def reward_log(
    project: Project,
    outcome: RewardOutcome,
    session_id: Annotated[Identifier, Field(description='"": the only open or ended one.')] = "",
    revision_distance: Annotated[Unit, Field(description="Share that had to change.")] = 0.5,
    rules_active: Annotated[
        tuple[Identifier, ...], Field(max_length=100, description="Rules really followed, if others.")
    ] = (),
    source: RewardSource = "manual",
    weight: Weight = 1.0,
    notes: Notes = "",
    client_ref: ClientRef = "",
) -> RewardLogged:
    """Log feedback on a session's work: a person, CI or git accepted, revised or rejected it.

    It may come days later. Returns the session's score and the rules it settled.
    """
    joining.catch_up(project)
    return rewards.log(
        project,
        outcome=outcome,
        session_id=session_id,
        revision_distance=revision_distance,
        rules_active=rules_active,
        source=source,
        weight=weight,
        notes=notes,
        client_ref=client_ref,
    )


def session_end(
    project: Project,
    session_id: SessionId = "",
    outcome: Annotated[RewardOutcome | Literal[""], Field(description="Also logs this reward.")] = "",
    notes: Notes = "",
    entry_file: Annotated[ProjectPath, Field(description="Journal entry to learn from.")] = "",
    client_ref: ClientRef = "",
) -> SessionEnded:
    """End a session when the task is done; pass outcome if you know it.

    Returns the score, and the rules that became proven or retired.
    """
    joining.catch_up(project)
    return sessions.end(
        project,
        session_id=session_id,
        outcome=outcome,
        notes=notes,
        entry_file=entry_file,
        client_ref=client_ref,
    )


def rule_add(
    project: Project,
    text: Annotated[RequiredRuleText, Field(description="One line.")],
    category: Label = "general",
    context: Annotated[Label, Field(description="Only for this work.")] = "",
    globs: Annotated[tuple[Glob, ...], Field(max_length=20, description="Only for these paths.")] = (),
    source: RuleSource = "agent",
    rationale: Notes = "",
    prior: Annotated[Prior, Field(description="Believed effect; proves nothing.")] = 0.0,
    client_ref: ClientRef = "",
) -> RuleAdded:
    """Add a candidate rule when you learn one; sessions will try it and the evidence decides.

    Returns its status: trial, quarantined (a person must approve it) or duplicate.
    """
    added = rules.add(
        project,
        text=text,
        category=category,
        context=context,
        globs=globs,
        source=source,
        rationale=rationale,
        prior=prior,
        client_ref=client_ref,
    )
    joining.offer_first_rules(project)
    return added


def rule_decide(
    project: Project,
    rule_id: Annotated[Identifier, Field(min_length=1)],
    action: RuleAction,
    reason: Reason,
    text: Annotated[RuleText, Field(description="For reword.")] = "",
    *,
    confirmed: bool = False,
) -> RuleDecided:
    """Carry out a person's decision about a rule; ask first, never decide for them.

    approve and reject end quarantine, pin always renders it (the person has to confirm both), reword starts
    its evidence anew.
    """
    return rules.decide(
        project, rule_id=rule_id, action=action, reason=reason, text=text, confirmed=confirmed
    )


def rules_list(
    project: Project,
    status: RuleStatus | Literal[""] = "",
    context: Label = "",
    query: Annotated[Label, Field(description="Text to look for.")] = "",
    limit: Limit = 20,
    cursor: Cursor = "",
    response_format: ResponseFormat = "concise",
) -> RulesPage:
    """List rules with their effect, evidence and verdict, strongest first.

    Call it when asked what is proven.
    """
    return standings.page(
        project,
        status=status,
        context=context,
        query=query,
        limit=limit,
        cursor=cursor,
        detailed=response_format == "detailed",
    )


def rules_render(
    project: Project,
    targets: Annotated[
        tuple[AnyTarget, ...],
        Field(min_length=1, max_length=10, description="auto: those in use."),
    ] = ("auto",),
    write: Annotated[bool, Field(description="false only shows the diff.")] = False,
    check: Annotated[bool, Field(description="Only compare.")] = False,
    remove: Annotated[bool, Field(description="Take our text out.")] = False,
    force: Annotated[bool, Field(description="Overwrite hand edits.")] = False,
) -> Rendering:
    """Bring the assistants' rule files up to date with the proven and pinned rules.

    Returns each file's diff or why it is refused; text of others is never touched.
    """
    rendering = rule_files.rendered(
        project, targets=targets, write=write, check=check, remove=remove, force=force
    )
    return rule_files.shortened(rendering, REPLY_CHARACTERS)


def report_get(
    project: Project,
    kind: ReportKind,
    context: Label = "",
    session_id: Annotated[Identifier, Field(description="One session.")] = "",
    period: Annotated[Period, Field(description='"30d" or "all".')] = "30d",
    limit: Limit = 20,
    cursor: Cursor = "",
    response_format: ResponseFormat = "concise",
) -> Report:
    """Sum up one kind of thing over a period. evidence: what is known, to plan what to try."""
    return reports.report(
        project,
        kind=kind,
        context=context,
        session_id=session_id,
        period=period,
        limit=limit,
        cursor=cursor,
        detailed=response_format == "detailed",
    )


def status(project: Project) -> Status:
    """Tell what is going on in this project, what needs a person, and the next step."""
    return reports.status(project, around=surroundings.of(project))


TOOLS: tuple[Tool, ...] = (
    Tool(session_start, "Start a session", snapshot="start"),
    Tool(mistake_log, "Log a mistake"),
    Tool(reward_log, "Log a reward"),
    Tool(session_end, "End a session", snapshot="end"),
    Tool(rule_add, "Add a rule", idempotent=True),
    Tool(rule_decide, "Decide about a rule", destroys=True, needs_person=True),
    Tool(rules_list, "List rules", reads_only=True, idempotent=True),
    Tool(rules_render, "Render rule files", destroys=True, idempotent=True),
    Tool(report_get, "Get a report", reads_only=True, idempotent=True, links_to_report=True),
    Tool(status, "Project status", reads_only=True, idempotent=True),
)
"""Sessions, rules and reports."""
