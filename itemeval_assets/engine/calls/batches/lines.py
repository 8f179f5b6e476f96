"""A request as a line of a batch: its id there, and what tells it from others."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from inspect_ai._util.notgiven import sanitize_notgiven
from inspect_ai.model._providers.util.batch import BatchRequest
from inspect_ai.model._providers.util.hooks import HttpxHooks


def line_id_of(request: BatchRequest[Any]) -> str:
    """The id that a request will have in its batch."""
    headers = request.request.get("extra_headers")
    own = headers.get(HttpxHooks.REQUEST_ID_HEADER) if isinstance(headers, dict) else None
    return own or request.custom_id


def digest_of(request: Mapping[str, Any]) -> str:
    """A hash of what a request asks; its headers tell one sending from another."""
    body = {name: value for name, value in request.items() if name != "extra_headers"}
    text = json.dumps(sanitize_notgiven(body), sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: Any) -> Any:
    """Models of clients as JSON; anything else by its type, which is the same in each process."""
    return value.model_dump() if hasattr(value, "model_dump") else type(value).__name__
