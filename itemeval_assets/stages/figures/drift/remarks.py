"""What to say beside changes: who answered, when was judged, and what is compared with nothing."""

from collections.abc import Iterator

from itemeval_assets.core.design.partitions import GENERATE, Partition
from itemeval_assets.core.records.served import changed_words

from ..planned import PlannedCells

__all__ = ["of_models", "of_templates", "of_times"]


def of_models(planned: PlannedCells) -> Iterator[str]:
    """Which models answered under another name than before, as far as replies say so."""
    served = planned.served
    for one in planned.study.design.generate:
        if one.wave:
            then, now = (served.get(Partition((id,)), {}) for id in (one.first_id, one.id))
            yield from changed_words(one.label, then, now)


def of_times(planned: PlannedCells, wave: Partition, first: Partition) -> Iterator[str]:
    """That the judge of the one is perhaps not that of the other: on no day were both judged."""
    days = [_days(planned, part) for part in (wave, first)]
    if all(days) and days[0].isdisjoint(days[1]):
        (a, b), (c, d) = ((min(found), max(found)) for found in days)
        yield (
            f"{planned.study.design.label_of(wave)} is of {_span(a, b)}, and the first answers "
            f"were graded again on {_span(c, d)}: a change of the judge between the two is in "
            "that of the model."
        )


def _days(planned: PlannedCells, partition: Partition) -> set[str]:
    made = planned.store.read("gradings", [partition], ["created_at"])["created_at"]
    return {stamp[:10] for stamp in made.to_pylist()}


def _span(first: str, last: str) -> str:
    return first if first == last else f"{first} to {last}"


def of_templates(planned: PlannedCells) -> Iterator[str]:
    """Which answers are of a condition that the study has no more: of another prompt, say."""
    design = planned.study.design
    stored = [part.generate for part in planned.store.partitions(GENERATE.table)]
    for one in design.generate:
        others = [
            id
            for id in stored
            if id not in design.generate_by_id and id.rpartition("--")[0] == one.slug
        ]
        if others:
            yield (
                f"{one.label}: there are also answers of {', '.join(others)}, of the same names "
                "and another prompt text or other settings. A changed template makes another "
                "condition, which is compared with none here."
            )
