"""What else SQLite can be asked for: other doors into the file, and short statements that want much."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from vettle.engine import rules
from vettle.engine.errors import InvalidArgument
from vettle.engine.project import Project
from vettle.engine.querying import sql


@pytest.fixture(name="project", scope="module")
def _project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project(tmp_path_factory.mktemp("attacked"))
    for number in range(30):
        rules.add(project, text=f"Rule number {number} of thirty.")
    yield project
    project.close()


DOORS = (
    "SELECT * FROM sqlite_dbpage",
    "SELECT data FROM sqlite_dbpage('main')",
    "SELECT * FROM sqlite_stmt",
    "SELECT * FROM bytecode('SELECT 1')",
    "SELECT * FROM tables_used('SELECT * FROM event')",
    "SELECT * FROM sqlite_dbdata('main')",
    "SELECT * FROM fsdir('.')",
    "SELECT * FROM lsdir('.')",
    "SELECT * FROM zipfile('x.zip')",
    "SELECT * FROM csv('/etc/passwd')",
    "SELECT * FROM generate_series(1, 1000000000)",
    "SELECT * FROM carray(1, 2)",
    "SELECT * FROM completion('SEL')",
    "SELECT * FROM fts5vocab('x', 'row')",
    "SELECT * FROM pragma_function_list",
    "SELECT * FROM pragma_module_list",
    "SELECT * FROM pragma_compile_options",
    "SELECT * FROM pragma_journal_mode('delete')",
    "SELECT * FROM pragma_wal_checkpoint('truncate')",
    "SELECT * FROM main.pragma_table_info('event')",
    "SELECT edit('x', 'sh -c id')",
    "SELECT fts5(1)",
    "SELECT fts5_source_id()",
    "SELECT highlight(event, 0, '', '') FROM event",
    "SELECT snippet(event) FROM event",
    "SELECT rtreedepth(x'00')",
    "SELECT optimize(1)",
    "SELECT sqlite_compileoption_get(1)",
    "SELECT sqlite_source_id()",
    "SELECT sqlite_log(1, 'x')",
    "SELECT sqlite_offset(data) FROM event",
    "SELECT last_insert_rowid(), changes(), total_changes()",
    "SELECT zeroblob(1000000000)",
    "SELECT randomblob(1000000000)",
    "SELECT eval('DROP TABLE event')",
    "SELECT crc32('x')",
    "SELECT jsonb('[1]')",
    "SELECT unistr('x')",
    "SELECT load_extension('x', 'y')",
    "ATTACH 'file:x.db?mode=rwc&vfs=unix' AS x",
    "ATTACH 'file:/etc/passwd?immutable=1' AS x",
    "SELECT * FROM temp.sqlite_master",
    "SELECT * FROM main.sqlite_sequence",
    "SELECT * FROM 'sqlite_schema'",
    "SELECT * FROM [main].[event]",
    'SELECT * FROM "main"."reply"',
    "SELECT (SELECT name FROM sqlite_schema)",
    "SELECT * FROM event INDEXED BY no_such_index",
    "WITH x AS (SELECT 1) INSERT INTO main.event(project) SELECT 1",
    "EXPLAIN QUERY PLAN DELETE FROM main.event",
    "VALUES(1); VACUUM",
    "SELECT 1 /* ; */; /* */ DELETE FROM main.event",
)


@pytest.mark.parametrize("statement", DOORS)
def test_other_doors_are_shut(project: Project, statement: str) -> None:
    """Virtual tables, functions and files that tell of the database or reach out of it are refused."""
    with pytest.raises(InvalidArgument):
        sql(project, statement)
    assert {one.name for one in project.root.iterdir()} == {".vettle"}


BOMBS = (
    "SELECT printf('%.*c', 1000000000, 'x')",
    "SELECT printf('%1000000000s', 'x')",
    "SELECT printf('%.1000000000f', 1.0)",
    "SELECT hex(hex(hex(hex(hex(printf('%.*c', 200000, 'x'))))))",
    "SELECT replace(replace(printf('%.*c', 9999, 'x'), 'x', 'xxxxxxxxxxxxxxxxxxxxxxxx'), 'x', 'yyyyyyyyyyyyyyyyyy')",
    "SELECT group_concat(data) FROM event, event, event, event, event",
    "SELECT json_group_array(data) FROM event, event, event, event, event",
    "SELECT count(*) FROM event, event, event, event, event, event, event, event",
    "SELECT DISTINCT a.data || b.data || c.data || d.data FROM event a, event b, event c, event d ORDER BY 1",
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c) SELECT max(n) FROM c",
    "WITH RECURSIVE c(t) AS (SELECT 'x' UNION ALL SELECT t || t FROM c) SELECT length(t) FROM c",
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION SELECT n*2%1000003 FROM c) SELECT * FROM c a, c b, c d ORDER BY random",
    "SELECT count(*) FROM json_each('[' || substr(printf('%.*c', 200000, ','), 2) || ']')",
    "SELECT json('" + "[" * 9_000 + "]" * 9_000 + "')",
    "SELECT count(*) FROM json_tree(replace(printf('%.*c', 9000, 'x'), 'x', '[')) ",
    (
        "WITH RECURSIVE j(t) AS (SELECT '[1,1]' UNION ALL SELECT '[' || t || ',' || t || ']' FROM j LIMIT 16)"
        " SELECT count(*) FROM j, json_tree(j.t) a, json_tree(j.t) b, json_tree(j.t) c"
    ),
    "SELECT printf('%.*c', 200000, 'a') LIKE '%" + "a%" * 450 + "b'",
    "SELECT printf('%.*c', 200000, 'a') GLOB '" + "*a" * 450 + "b'",
    "SELECT instr(printf('%.*c', 240000, 'a'), printf('%.*c', 120000, 'a') || 'b')",
    "SELECT replace(printf('%.*c', 240000, 'a'), printf('%.*c', 120000, 'a') || 'b', '')",
    (
        "SELECT sum(x) OVER (ORDER BY a ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM"
        " (SELECT a.id AS a, b.id AS x FROM event a, event b, event c, event d)"
    ),
    "SELECT " + "(" * 900 + "1" + ")" * 900,
    "SELECT " + " || ".join(["'x'"] * 900),
    "SELECT 1" + " UNION SELECT 1" * 900,
    "SELECT * FROM event " + " ".join(f"JOIN event e{n}" for n in range(70)),
    "SELECT CASE" + " WHEN 1=2 THEN 1" * 900 + " END",
    "SELECT x'" + "00" * 9_000 + "'",
    "SELECT strftime('" + "%f" * 4_000 + "', 'now')",
    "SELECT 1e999, -1e999, 9223372036854775807 + 1, abs(-9223372036854775807 - 1)",
)


@pytest.mark.parametrize("statement", BOMBS)
def test_a_short_statement_cannot_take_long_or_much(project: Project, statement: str) -> None:
    """It is refused, or stopped at its time, or answered, but always soon, and in little room."""
    import resource

    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    try:
        answer = len(sql(project, statement, seconds=0.3).model_dump_json())
    except InvalidArgument as error:
        answer = len(str(error))
    assert time.monotonic() - begun < 5
    assert answer < 20_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000, "kilobytes"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("instr('abc', 'c')", 3),
        ("instr('abc', 'd')", 0),
        ("instr('abc', '')", 1),
        ("instr(NULL, 'a')", None),
        ("instr(x'0102', x'02')", 2),
        ("instr(12345, 45)", 4),
        ("instr(1.5, '.')", 2),
        ("replace('aXbX', 'X', 'yy')", "ayybyy"),
        ("replace('abc', '', 'x')", "abc"),
        ("replace('abc', NULL, 'x')", None),
        ("replace(123, 2, 'x')", "1x3"),
    ],
)
def test_the_functions_that_are_ours_answer_as_sqlites_do(
    project: Project, expression: str, value: object
) -> None:
    """A query that worked before means the same."""
    import apsw

    table = sql(project, f"SELECT {expression}").table
    assert table is not None and table.rows == [[value]]
    connection = apsw.Connection(":memory:")
    assert connection.execute(f"SELECT {expression}").get == value
    connection.close()
