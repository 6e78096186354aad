"""An OpenAI-compatible endpoint, asked once: chat completions, which is what compatible servers speak.

`openai` is imported by the first question and by nothing else. An answer is read in pieces, up to a limit and
until a deadline, because a timeout alone does not stop a server that sends a byte now and then. What an
endpoint says about an error is never passed on: it may quote the key.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from vettle.engine.proposals.briefing import Message
from vettle.engine.proposals.schema import NAME, strict_schema
from vettle.engine.settings import ProposalSettings

if TYPE_CHECKING:
    from openai import OpenAI

MOST_BYTES = 1_000_000
"""The longest reply that is read."""

_NO_KEY = "not-needed"
"""The key that is sent where none is configured: local servers want none."""


class Unanswered(Exception):
    """Raised when an endpoint gives no answer that can be read; the message is one clause, without secrets."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Which model is asked, and where; an empty `url` means OpenAI. The key and the URL are never shown."""

    model: str
    key: str = field(repr=False)
    url: str = field(repr=False)


def configured(settings: ProposalSettings, environment: Mapping[str, str]) -> Endpoint | str:
    """Return the endpoint that the environment and the settings name, or why there is none."""
    key = environment.get("OPENAI_API_KEY", "").strip()
    url = environment.get("OPENAI_BASE_URL", "").strip()
    model = environment.get("VETTLE_OPENAI_MODEL", "").strip() or settings.model.strip()
    if not key and not url:
        return "No model is configured (OPENAI_API_KEY or OPENAI_BASE_URL)"
    if not model:
        return "No model is named: set VETTLE_OPENAI_MODEL, or model under [proposals] in .vettle/config.toml"
    return Endpoint(model=model, key=key or _NO_KEY, url=url)


def complete(endpoint: Endpoint, messages: list[Message], *, tokens: int, deadline: float) -> str:
    """Return the text that the model answers, at most `tokens` long, before `deadline` (of time.monotonic).

    Raises:
        Unanswered: It could not be asked, refused, failed, was cut off, or took too long.
    """
    try:
        import openai
    except ImportError:
        raise Unanswered("the openai package is not installed: pip install 'vettle[openai]'") from None
    url, headers = _address(endpoint.url)
    try:
        with openai.OpenAI(
            api_key=endpoint.key,
            base_url=url or None,
            default_headers=headers,
            timeout=_left(deadline),
            max_retries=0,
        ) as client:
            body = _send(client, endpoint, messages, tokens, deadline)
    except openai.APITimeoutError:
        raise Unanswered("it did not answer in time") from None
    except openai.APIConnectionError:
        raise Unanswered("it cannot be reached") from None
    except openai.APIStatusError as error:
        raise Unanswered(_status(error.status_code)) from None
    return _content(body, tokens)


def _address(url: str) -> tuple[str, dict[str, str]]:
    """Take a user's name and password out of an address, because addresses are logged; headers are not."""
    try:
        parts = urlsplit(url)
        name, password = unquote(parts.username or ""), unquote(parts.password or "")
    except ValueError:
        raise Unanswered("its address cannot be read") from None
    if not name and not password:
        return url, {}
    encoded = base64.b64encode(f"{name}:{password}".encode()).decode()
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return bare, {"Authorization": f"Basic {encoded}"}


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise Unanswered("it did not answer in time")
    return left


def limit_name(url: str) -> str:
    """Return what an endpoint calls the limit on tokens.

    OpenAI's reasoning models refuse max_tokens, and compatible servers may know nothing else.
    """
    host = urlsplit(url).hostname or ""
    own = not url or host.endswith(("openai.com", "openai.azure.com"))
    return "max_completion_tokens" if own else "max_tokens"


def _send(client: OpenAI, endpoint: Endpoint, messages: list[Message], tokens: int, deadline: float) -> bytes:
    schema = {"name": NAME, "strict": True, "schema": strict_schema()}
    request: dict[str, Any] = {
        "model": endpoint.model,
        "messages": messages,
        limit_name(endpoint.url): tokens,
        "response_format": {"type": "json_schema", "json_schema": schema},
    }
    body = bytearray()
    with client.chat.completions.with_streaming_response.create(**request) as response:
        for piece in response.iter_bytes():
            body += piece
            _left(deadline)
            if len(body) > MOST_BYTES:
                raise Unanswered(f"its answer is longer than {MOST_BYTES:,} bytes")
    return bytes(body)


def _status(code: int) -> str:
    meaning = {
        400: "it does not accept the request",
        401: "it does not accept the key",
        403: "it does not accept the key",
        404: "it does not know the model or the address",
        429: "it is busy, or the quota is used up",
    }
    return (
        f"{meaning.get(code, 'it failed' if code >= 500 else 'it does not accept the request')} (HTTP {code})"
    )


def _content(body: bytes, tokens: int) -> str:
    """Return the text of the first choice of a reply."""
    try:
        reply = json.loads(body)
        choice = reply["choices"][0]
        message, reason = choice["message"], choice.get("finish_reason")
        content, refusal = message.get("content"), message.get("refusal")
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        raise Unanswered("its reply is no chat completion") from None
    if refusal:
        raise Unanswered("it refused")
    if reason == "length":
        raise Unanswered(
            f"its answer was cut off at {tokens:,} tokens: raise tokens under [proposals] in .vettle/config.toml"
        )
    if reason == "content_filter":
        raise Unanswered("a content filter stopped its answer")
    if not isinstance(content, str) or not content.strip():
        raise Unanswered("its answer is empty")
    return content
