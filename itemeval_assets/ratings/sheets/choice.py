"""Which answers go on a sheet: drawn at random, as many of each condition, items as far apart."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from random import Random

from itemeval_assets.core.design.cells.pending import Cell
from itemeval_assets.core.design.conditions.conditions import Design, GenerateCondition
from itemeval_assets.core.design.selection import Words, listed, select_generate

Answer = tuple[str, Cell]


def chosen_cells(
    available: Mapping[str, Sequence[Cell]], n: int, seed: int, before: Iterable[Answer] = ()
) -> list[Answer]:
    """`n` answers, or all, in random order: pairs of a condition and a cell.

    Conditions and items take turns: the next answer is of the condition that has the fewest, and
    there of an item that has the fewest. `before`: answers that are on sheets already, which count.
    The same seed chooses the same answers from the same ones.
    """
    random = Random(seed)
    of_condition, of_item = Counter[str](), Counter[str]()
    for condition, cell in before:
        of_condition[condition] += 1
        of_item[cell.item_id] += 1
    queues = {
        condition: [(of_item[cell.item_id], random.random(), cell) for cell in cells]
        for condition, cells in available.items()
        if cells
    }
    for queue in queues.values():
        heapify(queue)
    turns = [(of_condition[condition], random.random(), condition) for condition in queues]
    heapify(turns)
    found: list[Answer] = []
    while turns and len(found) < n:
        count, _, condition = heappop(turns)
        cell = _next(queues[condition], of_item)
        found.append((condition, cell))
        of_item[cell.item_id] += 1
        if queues[condition]:
            heappush(turns, (count + 1, random.random(), condition))
    random.shuffle(found)
    return found


def chosen_conditions(design: Design, words: Words) -> list[GenerateCondition]:
    """The generate conditions that words mean; without a word, all but those of waves.

    A word that means a condition and its waves, such as a model, means the condition. Raises
    ConfigError for a word that means none.
    """
    if words is None:
        return list(design.first_asked)
    select_generate(design, words)  # refuses an empty list
    first = {one.id for one in design.first_asked}
    chosen = set[str]()
    for word in listed("conditions", words):
        meant = set(select_generate(design, word))
        chosen |= meant & first or meant
    return [one for one in design.generate if one.id in chosen]


def _next(queue: list[tuple[int, float, Cell]], of_item: Counter[str]) -> Cell:
    """A cell of an item with the fewest answers; counts in the queue may have grown since."""
    while True:
        count, place, cell = heappop(queue)
        if count == of_item[cell.item_id]:
            return cell
        heappush(queue, (of_item[cell.item_id], place, cell))
