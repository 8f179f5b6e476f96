"""What a judge or a scorer made of one answer: a score, or the reason why there is none."""

from dataclasses import dataclass

from itemeval_assets.core.text.words import well_formed

RAW_LIMIT = 500
"""Longest `score_raw` kept, in characters: enough to see what was sent."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result columns of one grading event.

    Invariant (seed: Outputs and Schemas): `parse_ok` false, `parse_error` set and `score` null
    are the same statement. Build one with `scored` or `failed`, which keep it true and make
    the texts storable; the plain constructor refuses a contradiction.
    """

    score: float | None
    score_raw: str | None
    reasoning: str | None
    parse_ok: bool
    parse_error: str | None

    def __post_init__(self) -> None:
        if not self.parse_ok == (self.parse_error is None) == (self.score is not None):
            raise ValueError(f"the fields contradict each other: {self}")

    @classmethod
    def scored(
        cls,
        score: float,
        score_raw: str,
        reasoning: str | None = None,
    ) -> "Verdict":
        """A score was found."""
        return cls(score, _excerpt(score_raw), _well_formed(reasoning), True, None)

    @classmethod
    def failed(
        cls,
        parse_error: str,
        score_raw: str | None = None,
        reasoning: str | None = None,
    ) -> "Verdict":
        """No score: `parse_error` is one of the closed list of codes of the judge or scorer."""
        raw = None if score_raw is None else _excerpt(score_raw)
        return cls(None, raw, _well_formed(reasoning), False, parse_error)


def _excerpt(text: str) -> str:
    return well_formed(text[:RAW_LIMIT])


def _well_formed(text: str | None) -> str | None:
    return None if text is None else well_formed(text)
