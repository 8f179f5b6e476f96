"""What a row of gradings has of a verdict."""

from typing import Any

from itemeval_assets.core.grading.verdict import Verdict


def verdict_columns(verdict: Verdict | None) -> dict[str, Any]:
    """The result columns; all empty, and parse_ok false, when the call failed."""
    if verdict is None:
        return {"score": None, "score_raw": None, "parse_ok": False, "parse_error": None}
    return {
        "score": verdict.score,
        "score_raw": verdict.score_raw or None,
        "parse_ok": verdict.parse_ok,
        "parse_error": verdict.parse_error,
        "reasoning": verdict.reasoning or None,
    }
