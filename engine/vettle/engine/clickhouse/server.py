"""ClickHouse on a server: the rows go into a temporary table of one session, which ends with the answer."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from vettle.engine.clickhouse.embedded import late, refusal
from vettle.engine.clickhouse.plan import (
    FORMAT,
    MEMORY,
    SECONDS,
    SETTINGS,
    TABLE,
    Found,
    Lines,
    Plan,
    complete,
    with_count,
)
from vettle.engine.errors import ClickHouseUnavailable, ConfigurationInvalid
from vettle.engine.store import Transaction, without_secrets

_CONNECT_SECONDS = 10
_FAILURES = (ClickHouseError, HTTPError, OSError)

# What goes wrong is said once, by us; without a handler its own warnings would go to stderr.
logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Server:
    """A ClickHouse server at http(s)://user:password@host:port/database."""

    url: str
    seconds: float = SECONDS
    memory: int = MEMORY

    def __repr__(self) -> str:
        """Return where it is, without the password."""
        return f"Server({without_secrets(self.url) if self._usable() else 'no URL'})"

    def ask(self, transaction: Transaction, plan: Plan) -> Found:
        """Answer the plan's questions on the server; nothing stays there."""
        try:
            client = self._client()
        except _FAILURES as error:
            # The error itself may repeat the user's name, and what a proxy answered: it is told by its kind only.
            raise ClickHouseUnavailable(self._unreached(error)) from None
        try:
            return self._answer(client, transaction, plan)
        except _FAILURES as error:
            raise ClickHouseUnavailable(self._refused(error)) from None
        finally:
            client.close()

    def _client(self) -> Client:
        if not self._usable():
            raise ConfigurationInvalid(
                "VETTLE_CLICKHOUSE_URL: it is no URL of ClickHouse's HTTP interface: https://user@host:8443/database"
            )
        return clickhouse_connect.get_client(
            dsn=self.url,
            interface=urlsplit(self.url).scheme,
            connect_timeout=_CONNECT_SECONDS,
            send_receive_timeout=max(int(self.seconds), 1),
            query_limit=0,
        )

    def _usable(self) -> bool:
        """Return whether the URL is one of ClickHouse's HTTP interface."""
        try:
            parts = urlsplit(self.url)
            return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            return False

    def _answer(self, client: Client, transaction: Transaction, plan: Plan) -> Found:
        settings: dict[str, Any] = {
            **SETTINGS,
            "max_memory_usage": self.memory,
            "max_execution_time": max(int(self.seconds), 1),
        }
        client.command(f"CREATE TEMPORARY TABLE {TABLE} ({plan.structure})")
        try:
            lines = Lines(transaction, plan)
            for block in lines:
                # As a stream the rows are the body, and the query is an argument: bytes would be sent after it.
                client.raw_insert(TABLE, list(plan.columns), BytesIO(block), settings=settings, fmt=FORMAT)
            found: Found = {}
            for name, question in with_count(plan).items():
                text = client.raw_query(question, settings=settings, fmt=FORMAT).decode("utf-8")
                found[name] = [json.loads(line) for line in text.split("\n") if line]
            return complete(found, lines)
        finally:
            # The end of the session would drop it too, but only after a minute.
            with suppress(*_FAILURES):
                client.command(f"DROP TEMPORARY TABLE {TABLE}")

    def _unreached(self, error: Exception) -> str:
        code = str(error).partition("Code: ")[2].partition(".")[0]
        why = (
            "it refuses the user or the password"
            if code in ("516", "192", "193", "194")
            else "it does not answer"
        )
        return (
            f"ClickHouse at {without_secrets(self.url)}: {why}. Check VETTLE_CLICKHOUSE_URL, unset it to use the "
            "embedded one, or use --engine default."
        )

    def _refused(self, error: Exception) -> str:
        text = str(error)
        if "Code: " not in text:
            return late(self.seconds) if "timed out" in text.lower() else self._unreached(error)
        return refusal(text, self.memory, self.seconds)
