"""What to say of the scores of a study as a whole."""

from collections.abc import Iterator, Sequence

from itemeval_assets.core.records.summaries import MANY

from .records import Score

__all__ = ["words_of"]

FEW_CLUSTERS = 30


def words_of(rows: Sequence[Score]) -> Iterator[str]:
    """What to say of the table as a whole: each warning once, and what it is about."""
    few = [row.n_clusters for row in rows if 0 < row.n_clusters < FEW_CLUSTERS]
    if few:
        alone = all(row.n_clusters in (0, row.n_items) for row in rows)
        yield (
            f"Only {_from_to(few)} {'items' if alone else 'independent clusters of items'}: so few"
            " prove nothing about others. Intervals are wide, and may even be too narrow."
        )
    missing = [row for row in rows if row.misses_many]
    bounded = any(row.bounds for row in missing)
    if missing:
        leave = "leaves" if len(missing) == 1 else "leave"
        yield (
            f"{len(missing)} of {len(rows)} means {leave} out more than {100 * MANY:g} % of their"
            + " cells."
            + " Bounds are the means if all of these had the worst, or the best score." * bounded
        )
    undeclared = sorted({row.graded_by for row in missing if row.scale is None})
    if undeclared:
        yield (
            f"No bounds of {', '.join(undeclared)}: no scale is declared. Write it as"
            " graders.<name>.scale, as the rubric has it."
        )
    about: dict[str, list[str]] = {}
    for row in rows:
        for warning in row.warnings:
            if not (warning.startswith("Only ") and few):
                name = f"{row.condition} | {row.graded_by}"
                about.setdefault(warning, []).append(name if row.group is None else row.group)
    for warning, names in about.items():
        more = f", and {len(names) - 1} more" if len(names) > 1 else ""
        yield f"{warning} ({names[0]}{more})"


def _from_to(counts: list[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"
