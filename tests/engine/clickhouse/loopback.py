"""A ClickHouse server on the loopback, for Pythons that have chdb: its HTTP interface in front of the real engine.

A program: it prints its port, and serves until its stdin ends. Queries, sessions, formats and errors are the
engine's; what is ours is HTTP: the query comes in the URL or in the body, data after it, settings as arguments.
"""

from __future__ import annotations

import base64
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

session: Any = import_module("chdb.session")
USER, PASSWORD = "reader", "s3cret-word"
_LOCK = threading.Lock()
_OURS = {"query", "database", "session_id", "session_timeout", "session_check", "default_format", "compress"}
_OURS |= {"decompress", "query_id", "wait_end_of_query", "client_protocol_version", "role", "quota_key"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one piece: two small ones would wait for each other
    engine: Any
    log: Path
    settings: ClassVar[dict[str, str]] = {}

    def log_message(self, *_: Any) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        """Answer a query in the URL."""
        self._answer(b"")

    def do_POST(self) -> None:
        """Answer a query in the URL or the body, with data."""
        self._answer(self._body())

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def _answer(self, body: bytes) -> None:
        arguments = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {expected}":
            self._send(
                403, b"Code: 516. DB::Exception: reader: Authentication failed. (AUTHENTICATION_FAILED)", 516
            )
            return
        query, data = arguments.get("query", ""), body
        if not query:
            query, data = body.decode(), b""
        with _LOCK, self.log.open("a", encoding="utf-8") as log:
            log.write(query + "\n")
            try:
                self._send(200, self._run(query, data, arguments), 0)
            except RuntimeError as error:
                text = str(error)
                self._send(500, text.encode(), int(text.partition("Code: ")[2].partition(".")[0] or 1))

    def _run(self, query: str, data: bytes, arguments: dict[str, str]) -> bytes:
        for name, value in arguments.items():
            if name not in _OURS and self.settings.get(name) != value:
                self.engine.query(f"SET {name}='{value}'")
                self.settings[name] = value
        if data:
            # The engine reads inserted data from a file: INSERT INTO table (columns) FORMAT name.
            head, _, kind = query.rpartition("FORMAT ")
            with tempfile.NamedTemporaryFile() as rows:
                rows.write(data)
                rows.flush()
                name = head.split("INTO")[1].split("(")[0].strip(" `\n")
                columns = self.engine.query(f"DESCRIBE TABLE {name}", "TSV").bytes().decode().splitlines()
                structure = ", ".join(" ".join(line.split("\t")[:2]) for line in columns)
                source = f"file('{rows.name}', '{kind.strip()}', '{structure}')"
                self.engine.query(f"INSERT INTO {name} SELECT * FROM {source}")
            return b""
        found = self.engine.query(query, arguments.get("default_format", "TabSeparated"))
        return bytes(found.bytes() or b"") if found is not None else b""

    def _send(self, status: int, content: bytes, code: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-ClickHouse-Summary", "{}")
        if code:
            self.send_header("X-ClickHouse-Exception-Code", str(code))
        self.end_headers()
        self.wfile.write(content)


def main() -> None:
    """Serve until stdin ends."""
    with tempfile.TemporaryDirectory() as folder:
        _Handler.engine = session.Session(folder)
        _Handler.log = Path(sys.argv[1])
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_port, flush=True)
        sys.stdin.read()
        server.shutdown()
        _Handler.engine.close()


if __name__ == "__main__":
    main()
