"""Which errors of a provider stay the same however often a request is repeated."""

from typing import Any

# An account without money answers with the status of a rate limit, or with any other.
_NO_MONEY = (
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "credit balance is too low",
    "insufficient credits",
    "insufficient balance",
)
# A wrong key, permission, name or request. What is left of 4xx says: later.
_FINAL_STATUS = frozenset({400, 401, 402, 403, 404, 405, 410, 413, 422})


def is_permanent(error: BaseException) -> bool:
    """Whether a repeated request would be refused again, until somebody mends something."""
    said = " ".join(str(getattr(error, name, "") or "") for name in ("code", "type", "body"))
    if any(words in f"{said} {error}".lower() for words in _NO_MONEY):
        return True
    return _status(error) in _FINAL_STATUS and not _is_cut_request(said)


def _status(error: Any) -> int | None:
    status = getattr(error, "status_code", None) or getattr(error, "code", None)
    return status if isinstance(status, int) else None


def _is_cut_request(said: str) -> bool:
    # The network cut a large request short: the whole one may pass.
    return "unexpected end of data" in said.lower()
