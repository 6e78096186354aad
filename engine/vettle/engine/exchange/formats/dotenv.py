r"""A best configuration as a .env file that python-dotenv and a POSIX shell read alike.

Names: the keys on the way to a value, joined by "_", in upper case, everything but A-Z, 0-9 and "_" replaced by "_".
Names that would be equal all get a suffix made from their keys, and names that a shell, a loader or an interpreter
acts on get CONFIG_ in front, so that no configuration can set PATH.

Values: text is written as it is; true, false, null, numbers and lists as JSON; numbers that are not finite as NaN,
Infinity and -Infinity; text with a carriage return or a NUL, which no such file can hold, as JSON. VETTLE_CONFIG
holds the whole configuration as JSON, with its own names and types.

Quotes: single ones around a value without ', \, ${ and line breaks; else double ones, where \ and " have a \ in
front, $ is ${VETTLE_DOLLAR}, ` is ${VETTLE_BACKTICK}, and ${VETTLE_END} keeps a final \ from the closing quote.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from vettle.engine.errors import InvalidArgument
from vettle.engine.exchange.formats import MARK
from vettle.engine.exchange.formats.as_json import dumps, loads, spelled_number
from vettle.engine.identifiers import digest
from vettle.engine.records.exports import BestConfiguration

CONFIG = "VETTLE_CONFIG"
"""The variable that holds the whole configuration as JSON."""

_HELPERS = {"VETTLE_DOLLAR": "'$'", "VETTLE_BACKTICK": "'`'", "VETTLE_END": "''"}
_ESCAPES = {"\\": "\\\\", '"': '\\"', "$": "${VETTLE_DOLLAR}", "`": "${VETTLE_BACKTICK}"}
_PREFIX = re.compile(r"[A-Z][A-Z0-9_]*")

_ACTED_ON = re.compile(
    r"_*|(?:ALL|FTP|HTTP|HTTPS|NO)_PROXY|BROWSER|CDPATH|CLASSPATH|COLUMNS|DIRSTACK|DISPLAY|EDITOR|E?UID|ENV"
    r"|FCEDIT|FIGNORE|FPATH|FUNCNAME|FUNCNEST|GCONV_PATH|GLOBIGNORE|GROUPS|HIST[A-Z]*|HOME|HOSTALIASES|HOSTNAME"
    r"|HOSTTYPE|IFS|INPUTRC|KUBECONFIG|LANG|LANGUAGE|MAKEFLAGS|LESS[A-Z]*|LINENO|LINES|LOCPATH|LOGNAME|MACHTYPE|MAIL[A-Z]*"
    r"|MALLOC_[A-Z_]*|MANPATH|NLSPATH|OLDPWD|OPTARG|OPTERR|OPTIND|OSTYPE|PAGER|PATH|PATHEXT|PHPRC|PIPESTATUS"
    r"|POSIXLY_CORRECT|PPID|PROMPT_[A-Z_]*|PS[0-9]|PWD|RANDOM|READLINE_[A-Z_]*|REPLY|RES_OPTIONS|SECONDS|SHELL"
    r"|SHELLOPTS|SHLVL|SRANDOM|SUDO_[A-Z_]*|TEMP|TERM|TERMINFO|TIMEFORMAT|TMOUT|TMP|TMPDIR|TZ|TZDIR|USER|VISUAL"
    r"|ZDOTDIR|(?:BASH|DOTNET_|DYLD_|EPOCH|GIT_|GLIBC_|JAVA_|JDK_|LC_|LD_|LUA_|NODE_|NPM_|OPENSSL_|PERL|PIP_|PYTHON"
    r"|RUBY|SSH_|SSL_|VETTLE_|XDG_|_JAVA_|_RLD).*"
)
"""Names that mean something before any program has asked for its configuration."""


def render(best: BestConfiguration, prefix: str = "") -> str:
    """Return the configuration as assignments; `prefix` goes in front of every name but VETTLE_CONFIG.

    Raises:
        InvalidArgument: The prefix is no upper-case name.
    """
    lines = [
        f"# {MARK}: {dumps(best.experiment_name)}",
        f"# {dumps(best.answer)}",
        f"# {dumps(best.exported_at)}, config {best.config_hash or 'none'}",
        *_assignments(best.config, prefix),
    ]
    return "\n".join(lines) + "\n"


def parse(text: str, prefix: str = "") -> dict[str, Any]:
    """Return the configuration of a rendered text, exactly as it was.

    Raises:
        InvalidArgument: The text is no such export, or its variables were changed and VETTLE_CONFIG was not.
    """
    found = re.search(rf"^{CONFIG}='(.*)'$", text, re.MULTILINE)
    if found is None:
        raise InvalidArgument("text", f"there is no {CONFIG}", "Pass the text of an export")
    try:
        config = dict(loads(found[1]))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgument(
            "text", f"{CONFIG} is no JSON object", "Pass the text of an export as it was written"
        ) from error
    if not text.endswith("\n".join(_assignments(config, prefix)) + "\n"):
        raise InvalidArgument(
            "text", f"its variables say something else than {CONFIG}", "Export it again, or change both"
        )
    return config


def names(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the value of every variable by its name, sorted, as a program will read it: always text."""
    if prefix and not _PREFIX.fullmatch(prefix):
        raise InvalidArgument(
            "prefix", f"{prefix[:40]!r} is no upper-case name", "Pass one such as APP_, or nothing"
        )
    leaves = dict(_leaves(config, ()))
    suffixed: set[tuple[str, ...]] = set()
    while True:
        named = {keys: _name(keys, prefix, suffixed=keys in suffixed) for keys in leaves}
        counts = Counter(named.values())
        equal = {keys for keys, name in named.items() if counts[name] > 1} - suffixed
        if not equal:
            return dict(sorted((named[keys], _said(value)) for keys, value in leaves.items()))
        suffixed |= equal


def _leaves(config: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, (*above, str(key)))
        else:
            yield (*above, str(key)), value


def _name(keys: tuple[str, ...], prefix: str, *, suffixed: bool) -> str:
    name = prefix + re.sub(r"[^A-Z0-9_]", "_", "_".join(keys).upper())
    if suffixed:
        name += f"_{digest(*keys).hex()[:12].upper()}"
    if name[:1].isdigit():
        name = f"_{name}"
    return f"CONFIG_{name}" if _ACTED_ON.fullmatch(name) else name


def _said(value: Any) -> str:
    """Return what a program reads in the variable of this value."""
    if isinstance(value, str):
        return json.dumps(value) if "\r" in value or "\0" in value else value
    if isinstance(value, float) and not math.isfinite(value):
        return spelled_number(value)
    return dumps(value)


def _assignments(config: Mapping[str, Any], prefix: str) -> Iterator[str]:
    values = {name: _quoted(value) for name, value in names(config, prefix).items()}
    for helper, value in _HELPERS.items():
        if any(f"${{{helper}}}" in quoted for quoted in values.values()):
            yield f"{helper}={value}"
    yield f"{CONFIG}='{_harmless(dumps(config))}'"
    for name, quoted in values.items():
        yield f"{name}={quoted}"


def _harmless(text: str) -> str:
    r"""Return JSON that single quotes hold in any reader: what could end or change it is written as \u...."""
    for character, code in (("\\\\", "\\u005c"), ("'", "\\u0027"), ("$", "\\u0024"), ("`", "\\u0060")):
        text = text.replace(character, code)
    return text


def _quoted(value: str) -> str:
    if not re.search(r"['\\\n]|\$\{", value):
        return f"'{value}'"
    escaped = "".join(_ESCAPES.get(character, character) for character in value)
    return f'"{escaped}{"${VETTLE_END}" if value.endswith(chr(92)) else ""}"'
