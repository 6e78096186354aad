"""Ids and hashes: what makes two things the same, and a retry the same call."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import unicodedata
from typing import Any


def canonical_json(value: Any) -> str:
    """Return the one JSON spelling of a value: sorted keys, no spaces, no NaN (ValueError)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(*parts: str) -> bytes:
    """Return the SHA-256 of the parts; parts cannot run into each other."""
    joined = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).digest()


def hash63(*parts: str) -> int:
    """Return a 63-bit hash that fits a signed BIGINT column."""
    return int.from_bytes(digest(*parts)[:8], "big") >> 1


def new_uid(now: int) -> bytes:
    """Return a UUIDv7 (16 bytes): milliseconds since 1970, then 74 random bits (RFC 9562, section 5.7)."""
    value = (now // 1_000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return value.to_bytes(16, "big")


def reference_uid(operation: str, client_ref: str) -> bytes:
    """Return the uid that every retry of a call with this client_ref shares."""
    return digest(operation, client_ref)[:16]


def session_id(uid: bytes) -> str:
    """Return the short id of the session that the event with this uid starts."""
    return "s-" + hashlib.sha256(uid).hexdigest()[:12]


def slug(text: str, limit: int = 32) -> str:
    """Return lower-case words joined by hyphens, cut at a word, from any text ("rule" if nothing is left)."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", plain.lower())
    result = ""
    for word in words:
        longer = f"{result}-{word}" if result else word
        if len(longer) > limit:
            break
        result = longer
    return result or (words[0][:limit] if words else "rule")
