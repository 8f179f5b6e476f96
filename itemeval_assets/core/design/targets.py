"""Items that a scorer gives no score, whatever an answer to them says: it refuses their target."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from itemeval_assets.core.errors import DatasetError
from itemeval_assets.core.grading.grader import Grader
from itemeval_assets.core.text.words import counted, cut

_SHOWN = 3
_REMEDY = "Correct these targets or `benchmark.mapping.target`, or take another scorer"


class Ungradable(NamedTuple):
    """The items of a run that a scorer gives no score. `takes`: the target that it needs, in words.

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
        return (
            f"scorer {self.scorer} can score no answer to {self.items:,} of "
            f"{counted(self.of_items, 'item')}: it needs {self.takes} as target, and theirs are "
            f"{targets}{more}. {_REMEDY}"
        )


def ungradable(graders: Iterable[Grader], targets: Mapping[str, str | None]) -> list[Ungradable]:
    """What each scorer cannot grade. `targets`: those of the items of a run, by item id."""
    found = []
    for grader in graders:
        if grader.targets is None:
            continue
        word, takes = grader.targets
        refused = [id for id, text in targets.items() if not takes(text or "")]
        if refused:
            first = {id: targets[id] or "" for id in refused[:_SHOWN]}
            found.append(Ungradable(grader.name, word, len(refused), len(targets), first))
    return found


def require_gradable(found: Sequence[Ungradable], graders: Sequence[Grader]) -> None:
    """Raise DatasetError where none of the graders can grade any of the items."""
    hopeless = {one.scorer for one in found if one.items == one.of_items}
    if graders and all(grader.name in hopeless for grader in graders):
        raise DatasetError(
            "benchmark.mapping.target: no answer of this run could get a score.\n"
            + "".join(f"{one.words}.\n" for one in found)
            + "No call was made. To have the answers without scores: --only solutions"
        )
