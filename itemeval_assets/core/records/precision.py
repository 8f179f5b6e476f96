"""How far a run with `precision` has come: the last look at its intervals."""

from dataclasses import asdict, dataclass
from typing import Any

from itemeval_assets.core.text.typed import read_record
from itemeval_assets.core.text.words import counted, dollars

_OUTDATED = "nobody has looked since the target or the design changed; the next run looks"


@dataclass(frozen=True)
class PrecisionLook:
    """The widest interval of those that the study asks for, at one look.

    Half-widths are in units of the score. `of`: what the interval is of, a pair of conditions or
    the mean of one. `n_items`: the items of the tranche, of which some may lack a score.
    `needed`: about so many items reach the target, by what varies so far; null: nobody can say.
    `problem`: why there is no interval yet; null where there is one. `is_early`: since all items
    are of one cluster, so that others may tell. `detect`: the difference that the study asks for,
    and that `target` detects.
    """

    n_items: int
    target: float
    half_width: float | None = None
    of: str | None = None
    graded_by: str | None = None
    is_reached: bool = False
    needed: int | None = None
    problem: str | None = None
    is_early: bool = False
    detect: float | None = None

    @classmethod
    def of_record(cls, record: Any) -> "PrecisionLook":
        """From `record`. Raises TypeError or ValueError for what is none."""
        return read_record(cls, record)

    def outdated(self, target: float) -> "PrecisionLook":
        """As it counts for another target or design: the items are bought, and nothing is known."""
        return PrecisionLook(self.n_items, target, problem=_OUTDATED)

    @property
    def record(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self)


def words_of_look(look: PrecisionLook, most: int, usd: float | None, of: int | None = None) -> str:
    """How far it is. `most`: the items of the sample; `usd`: what they have cost so far.

    `of`: the items of the data; null: no more than the sample has.
    """
    verb = "is" if look.n_items == 1 else "are"
    bought = f"{look.n_items:,} of {counted(most, 'item')} {verb} bought"
    if look.half_width is None:
        return f"Precision: {bought}, and no interval is known: {look.problem}"
    needs = "" if look.needed is None else f"about {counted(look.needed, 'item')}"
    finds = "" if look.detect is None else f", which detects {look.detect:g}"
    said = (
        f"the widest interval is ±{look.half_width:.3g} (target {look.target:.3g}{finds}):"
        f" {look.of} by {look.graded_by}"
    )
    if look.is_reached:
        return f"Precision reached: {bought}; {said}."
    if look.n_items >= most:
        has = of or most
        is_there = look.needed is not None and look.needed <= has
        remedy = ": raise benchmark.sample.n" if is_there else f", and the data have {has:,}"
        more = f" It needs {needs}{remedy}." if needs else ""
        return f"Precision not reached, and the sample is used up: {bought}; {said}.{more}"
    more = f" It needs {needs}{_cost(look, usd)}." if needs else ""
    return f"Precision not reached yet: {bought}; {said}.{more}"


def _cost(look: PrecisionLook, usd: float | None) -> str:
    """What further items cost, if each costs what those did that are there."""
    if not usd or look.needed is None or look.needed <= look.n_items:
        return ""
    return f", for about {dollars(usd * (look.needed / look.n_items - 1))} more"
