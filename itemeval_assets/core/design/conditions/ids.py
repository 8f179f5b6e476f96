"""Ids of conditions, derived from their content.

`<slug>--<first 12 hex of sha256(canonical JSON of the payload)>`. For the same YAML and template
text, generate and verifiable ids equal those of `itemeval`. The number of replications is never
part of an id.
"""

import hashlib
import json
import re
from typing import Any


def canonical_json(value: Any) -> str:
    """Sorted keys, no spaces, UTF-8 unescaped: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def condition_id(parts: list[str], payload: dict[str, Any]) -> tuple[str, str]:
    """(`<slug>--<digest>`, slug) for the readable parts and the identifying payload."""
    slug = "_".join(_slug(part) for part in parts)
    digest = hashlib.sha256(canonical_json(payload).encode()).hexdigest()[:12]
    return f"{slug}--{digest}", slug


def _slug(text: str, longest: int = 24) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return words[:longest].strip("-") or "x"
