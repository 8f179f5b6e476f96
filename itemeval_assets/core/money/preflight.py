"""The verdict on a model from one tiny call: ok, dead, or unverified."""

import re
from typing import Literal, NamedTuple

PREFLIGHT_PROMPT = "Reply with the single word: ok"
PREFLIGHT_ITEM = "(preflight)"

Verdict = Literal["ok", "dead", "unverified"]

# Such an answer will be the same tomorrow: a wrong key, name, or request; an empty account.
_FINAL_STATUS = {400, 401, 402, 403, 404, 405, 410, 422}
_FINAL_WORDS = ("insufficient_quota", "credit balance", "connection refused", "connection error")


class ModelHealth(NamedTuple):
    """One model: the verdict, why, and how long its answer took.

    `usd` is null without a price.
    """

    model: str
    verdict: Verdict
    reason: str
    latency_s: float | None = None
    usd: float | None = None


def verdict_on(error: str | None) -> Verdict:
    """`dead`: calls cannot succeed until somebody mends it; `unverified`: nobody can say now.

    A rate limit, a time-out or a server's trouble says nothing of the model.
    """
    if error is None:
        return "ok"
    # Each provider's client has a wording of its own; all of them begin with the HTTP status.
    status = re.search(r"\b[45]\d\d\b(?!\s+[a-z])", error)
    is_final = status is not None and int(status[0]) in _FINAL_STATUS
    return "dead" if is_final or any(w in error.lower() for w in _FINAL_WORDS) else "unverified"
