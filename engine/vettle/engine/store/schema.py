"""The tables, and the steps that bring an older database up to them.

`event` is the truth. Every other table is a fold of it (see `folds`), kept in the same transaction,
except `reply` (answers kept for retries), `snapshot` (a cache of the posterior), and `baseline` (what a pruned log
no longer tells).
Every key begins with `project`, so one database can hold many.
"""

from __future__ import annotations

from collections.abc import Callable

from vettle.engine.errors import StoreDamaged
from vettle.engine.store.database import Connection, Database, Dialect

SCHEMA_VERSION = 4

_VERSION_1 = (
    "CREATE TABLE project(id {identity}, name TEXT NOT NULL UNIQUE)",
    # ts: microseconds since 1970, UTC; uid: UUIDv7, or derived from a client_ref
    """CREATE TABLE event(
        id {identity}, project INTEGER NOT NULL, uid {blob} NOT NULL, ts BIGINT NOT NULL,
        kind TEXT NOT NULL, session TEXT, subject TEXT, choice TEXT,
        dimset BIGINT, metrics {json}, data {json},
        UNIQUE(project, uid))""",
    "CREATE INDEX ix_event_kind ON event(project, kind, ts)",
    "CREATE INDEX ix_event_subject ON event(project, subject, ts)",
    "CREATE INDEX ix_event_session ON event(project, session, ts)",
    "CREATE TABLE dimset(id BIGINT PRIMARY KEY, dims {json} NOT NULL)",
    """CREATE TABLE stat(
        project INTEGER NOT NULL, family TEXT NOT NULL, a TEXT NOT NULL, b TEXT NOT NULL, c BIGINT NOT NULL,
        metric TEXT NOT NULL, shard INTEGER NOT NULL,
        n DOUBLE PRECISION NOT NULL, mean DOUBLE PRECISION NOT NULL, m2 DOUBLE PRECISION NOT NULL,
        lo DOUBLE PRECISION NOT NULL, hi DOUBLE PRECISION NOT NULL, ts BIGINT NOT NULL,
        PRIMARY KEY(project, family, a, c, metric, b, shard)){without_rowid}""",
    # event: the id of the event that added the rule, which orders rules by age
    """CREATE TABLE rule(
        project INTEGER NOT NULL, id TEXT NOT NULL, event BIGINT NOT NULL, text TEXT NOT NULL, category TEXT NOT NULL,
        context TEXT NOT NULL, globs {json} NOT NULL, source TEXT NOT NULL, status TEXT NOT NULL,
        reason TEXT NOT NULL, rationale TEXT NOT NULL, prior DOUBLE PRECISION NOT NULL, hash BIGINT NOT NULL,
        created BIGINT NOT NULL, PRIMARY KEY(project, id)){without_rowid}""",
    "CREATE INDEX ix_rule_hash ON rule(project, hash, event)",
    "CREATE INDEX ix_rule_status ON rule(project, status)",
    # reward_sum: sum of weight * value over the session's rewards; score: set once, when it enters the evidence
    """CREATE TABLE session(
        project INTEGER NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL, task TEXT NOT NULL,
        context TEXT NOT NULL, agent TEXT NOT NULL, model TEXT NOT NULL,
        started BIGINT NOT NULL, seen BIGINT NOT NULL, ended BIGINT NOT NULL,
        mistakes BIGINT NOT NULL, repeats BIGINT NOT NULL,
        reward_weight DOUBLE PRECISION NOT NULL, reward_sum DOUBLE PRECISION NOT NULL, score DOUBLE PRECISION,
        decision {json} NOT NULL, PRIMARY KEY(project, id)){without_rowid}""",
    "CREATE INDEX ix_session_state ON session(project, state, seen)",
    "CREATE INDEX ix_session_started ON session(project, started, id)",
    "CREATE INDEX ix_session_context ON session(project, context, started, id)",
    # canonical: the mistake that this one is a rewording of (itself if none); only canonical rows are counted
    """CREATE TABLE mistake(
        id {identity}, project INTEGER NOT NULL, class TEXT NOT NULL, hash BIGINT NOT NULL,
        text TEXT NOT NULL, norm TEXT NOT NULL, terms TEXT NOT NULL, canonical BIGINT NOT NULL,
        n BIGINT NOT NULL, sessions BIGINT NOT NULL, last_session TEXT NOT NULL, correction TEXT NOT NULL,
        first_ts BIGINT NOT NULL, last_ts BIGINT NOT NULL, UNIQUE(project, class, hash))""",
    "CREATE INDEX ix_mistake_n ON mistake(project, n)",
    """CREATE TABLE term(project INTEGER NOT NULL, key BIGINT NOT NULL, mistake BIGINT NOT NULL,
        PRIMARY KEY(project, key, mistake)){without_rowid}""",
    """CREATE TABLE reply(project INTEGER NOT NULL, uid {blob} NOT NULL, arguments {blob} NOT NULL,
        answer TEXT NOT NULL, ts BIGINT NOT NULL, PRIMARY KEY(project, uid)){without_rowid}""",
    """CREATE TABLE snapshot(project INTEGER NOT NULL PRIMARY KEY, policy TEXT NOT NULL, event BIGINT NOT NULL,
        state {blob} NOT NULL)""",
)

_VERSION_2 = (
    # event: the id of the event that created it, which orders experiments by age; epoch: the event id since
    # which runs count (creation, or the last restart); started and ended: microseconds, 0 if not yet
    """CREATE TABLE experiment(
        project INTEGER NOT NULL, id TEXT NOT NULL, event BIGINT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL,
        context TEXT NOT NULL, domain TEXT NOT NULL, variable TEXT NOT NULL, tier INTEGER NOT NULL,
        design {json} NOT NULL, reason TEXT NOT NULL, verdict {json} NOT NULL, epoch BIGINT NOT NULL,
        created BIGINT NOT NULL, started BIGINT NOT NULL, ended BIGINT NOT NULL,
        PRIMARY KEY(project, id)){without_rowid}""",
    "CREATE INDEX ix_experiment_state ON experiment(project, state, event)",
    "CREATE INDEX ix_experiment_name ON experiment(project, name, event)",
    # the one open experiment of a variable: the key is what makes it one, whatever races
    """CREATE TABLE open_variable(project INTEGER NOT NULL, domain TEXT NOT NULL, variable TEXT NOT NULL,
        experiment TEXT NOT NULL, PRIMARY KEY(project, domain, variable)){without_rowid}""",
    """CREATE TABLE variable(project INTEGER NOT NULL, domain TEXT NOT NULL, name TEXT NOT NULL, canonical TEXT NOT NULL,
        description TEXT NOT NULL, execution TEXT NOT NULL, event BIGINT NOT NULL,
        PRIMARY KEY(project, domain, name)){without_rowid}""",
    # the open block of a stratum, and of an item in paired mode
    """CREATE TABLE block(project INTEGER NOT NULL, experiment TEXT NOT NULL, stratum TEXT NOT NULL, item TEXT NOT NULL,
        number INTEGER NOT NULL, served INTEGER NOT NULL, variants {json} NOT NULL,
        PRIMARY KEY(project, experiment, stratum, item)){without_rowid}""",
    """CREATE TABLE assignment(project INTEGER NOT NULL, experiment TEXT NOT NULL, unit TEXT NOT NULL, event BIGINT NOT NULL,
        variant TEXT NOT NULL, context TEXT NOT NULL, stratum TEXT NOT NULL, item TEXT NOT NULL, block INTEGER NOT NULL,
        policy TEXT NOT NULL, propensity DOUBLE PRECISION NOT NULL, ts BIGINT NOT NULL,
        PRIMARY KEY(project, experiment, unit)){without_rowid}""",
    "CREATE INDEX ix_assignment_event ON assignment(project, experiment, event)",
    # event: the latest event about the unit; first: the event that recorded it first, which orders runs
    """CREATE TABLE run(project INTEGER NOT NULL, experiment TEXT NOT NULL, unit TEXT NOT NULL, event BIGINT NOT NULL,
        first BIGINT NOT NULL, variant TEXT NOT NULL, status TEXT NOT NULL, metrics {json} NOT NULL,
        data {json} NOT NULL, ts BIGINT NOT NULL, PRIMARY KEY(project, experiment, unit)){without_rowid}""",
    "CREATE INDEX ix_run_first ON run(project, experiment, first)",
    "CREATE INDEX ix_run_event ON run(project, experiment, event)",
)

_VERSION_3 = (
    # The order of a project's log, in which the posterior is folded and the newest event is found.
    "CREATE INDEX ix_event_order ON event(project, id)",
)

_VERSION_4 = (
    # what a pruned log no longer tells (see `baseline`): compressed rows of the table `name`, in numbered parts
    """CREATE TABLE IF NOT EXISTS baseline(project INTEGER NOT NULL, name TEXT NOT NULL, part INTEGER NOT NULL,
        rows {blob} NOT NULL, PRIMARY KEY(project, name, part)){without_rowid}""",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4)
"""Statements that lead from version i to version i + 1."""

FOLDED_TABLES = (
    "stat",
    "rule",
    "session",
    "mistake",
    "term",
    "experiment",
    "open_variable",
    "variable",
    "block",
    "assignment",
    "run",
)
"""The tables that `folds` rebuilds from `event`."""


def migrate(database: Database, refold: Callable[[Connection], None]) -> None:
    """Bring the database up to SCHEMA_VERSION in one transaction; a newer one is refused (StoreDamaged).

    `refold` counts the events of an older database again, because its aggregates may lack what is counted now.
    """
    with database.read() as connection:
        known = connection.execute(database.dialect.has_table, ("meta",))
        if known and _version(connection, database.location) == SCHEMA_VERSION:
            return
    with database.write() as connection:
        connection.execute(
            _fill(
                "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL)", database.dialect
            )
        )
        version = _version(connection, database.location)
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(_fill(statement, database.dialect))
        if 0 < version < SCHEMA_VERSION:
            refold(connection)
        connection.execute(
            "INSERT INTO meta(key, value) VALUES ('schema', ?) ON CONFLICT(key) DO UPDATE SET value=excluded.value",
            (str(SCHEMA_VERSION),),
        )


def _version(connection: Connection, location: str) -> int:
    rows = connection.execute("SELECT value FROM meta WHERE key='schema'")
    version = int(rows[0][0]) if rows else 0
    if version > SCHEMA_VERSION:
        raise StoreDamaged(
            f"{location}: the database has schema {version}, this vettle knows up to {SCHEMA_VERSION}. "
            "It was left as it is. Upgrade vettle to use it."
        )
    return version


def _fill(statement: str, dialect: Dialect) -> str:
    return statement.replace(" TEXT", f" {dialect.text}").format(
        identity=dialect.identity, blob=dialect.blob, json=dialect.json, without_rowid=dialect.without_rowid
    )
