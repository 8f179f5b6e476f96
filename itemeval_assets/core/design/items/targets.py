"""Items that a scorer cannot grade, whatever an answer to them says, because of their targets."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from itemeval_assets.core.errors import DatasetError
from itemeval_assets.core.grading.grader import Grader
from itemeval_assets.core.text.words import counted, cut

from .nested import is_nested

_SHOWN = 3
_ONE_ANSWER = "one answer"
_REMEDY = "Correct these targets or `benchmark.mapping.target`, or take another scorer"
_REMEDY_OF_LISTS = (
    "Map a column with one answer in `benchmark.mapping.target`, or take a scorer in Python that "
    "reads the list (`scorers`, type: python), or a judge"
)


class Ungradable(NamedTuple):
    """The items of a run that a scorer cannot grade. `takes`: the target that it needs, in words.

    `first` are the first of them, by id, with their targets.
    """

    scorer: str
    takes: str
    items: int
    of_items: int
    first: dict[str, str]

    @property
    def words(self) -> str:
        targets = ", ".join(f"{id}: {cut(text)!r}" for id, text in self.first.items())
        more = ", ..." if self.items > len(self.first) else ""
        to = f"to {self.items:,} of {counted(self.of_items, 'item')}"
        if self.takes == _ONE_ANSWER:
            return (
                f"scorer {self.scorer} can find no answer {to} right: it compares with one answer, "
                f"and their targets are lists or objects: {targets}{more}. {_REMEDY_OF_LISTS}"
            )
        return (
            f"scorer {self.scorer} can score no answer {to}: it needs {self.takes} as target, and "
            f"theirs are {targets}{more}. {_REMEDY}"
        )


def ungradable(graders: Iterable[Grader], targets: Mapping[str, str | None]) -> list[Ungradable]:
    """What each scorer cannot grade. `targets`: those of the items of a run, by item id."""
    texts = {id: text or "" for id, text in targets.items()}
    several = {id: text for id, text in texts.items() if is_nested(text)}
    single = {id: text for id, text in texts.items() if id not in several}
    found = []
    for grader in graders:
        if grader.targets is not None:
            word, takes = grader.targets
            refused = {id: text for id, text in single.items() if not takes(text)}
            found += _found(grader.name, word, refused, len(texts))
            found += _found(grader.name, _ONE_ANSWER, several, len(texts))
    return found


def _found(
    scorer: str, takes: str, refused: Mapping[str, str], of_items: int
) -> Iterator[Ungradable]:
    if refused:
        first = dict(list(refused.items())[:_SHOWN])
        yield Ungradable(scorer, takes, len(refused), of_items, first)


def require_gradable(found: Sequence[Ungradable], graders: Sequence[Grader]) -> None:
    """Raise DatasetError where none of the graders can grade any of the items."""
    refused = Counter[str]()
    for one in found:
        refused[one.scorer] += one.items
    hopeless = {one.scorer for one in found if refused[one.scorer] == one.of_items}
    if graders and all(grader.name in hopeless for grader in graders):
        raise DatasetError(
            "benchmark.mapping.target: no answer of this run could be graded.\n"
            + "".join(f"{one.words}.\n" for one in found)
            + "No call was made. To have the answers without scores: --only solutions"
        )
