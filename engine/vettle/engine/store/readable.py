"""What a user's SQL may name: tables, functions, and what is left out on purpose.

Not readable: `reply` and `snapshot`, which are caches; `project`, `meta` and the schema, which tell of others.
Functions are named one by one, so that none that a later version of the database brings is allowed unseen;
left out are those that read files, load code, describe the database, or are random.
"""

from __future__ import annotations

from vettle.engine.store.schema import FOLDED_TABLES

READABLE = ("event", *FOLDED_TABLES)
"""The tables that a query sees, each with the rows of one project only."""

READABLE_FUNCTIONS = ("json_each", "json_tree")
"""Functions that give a table."""

_SCALAR = (
    "abs ceil ceiling char coalesce concat concat_ws exp floor format glob hex if ifnull iif instr length like "
    "likelihood likely ln log log10 log2 lower ltrim max min mod nullif octet_length pi pow power printf quote "
    "replace round rtrim sign sqrt substr substring trim trunc typeof unhex unicode unlikely upper"
)
_TIME = "current_date current_time current_timestamp date datetime julianday strftime time timediff unixepoch"
_AGGREGATE = (
    "avg count group_concat max median min percentile percentile_cont percentile_disc string_agg sum total"
)
_WINDOW = "cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number"
_JSON = (
    "-> ->> json json_array json_array_length json_extract json_group_array json_group_object json_object json_patch "
    "json_pretty json_quote json_remove json_replace json_set json_type json_valid"
)

FUNCTIONS = frozenset(f"{_SCALAR} {_TIME} {_AGGREGATE} {_WINDOW} {_JSON}".split())
"""The functions that a query may call."""
