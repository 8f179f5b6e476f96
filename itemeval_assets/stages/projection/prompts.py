"""How large the prompts of a study are, found out once for each template."""

from collections.abc import Callable, Hashable

import numpy as np

from itemeval_assets.core.design.conditions.rubrics import RubricCondition
from itemeval_assets.core.design.partitions import GRADE, Partition
from itemeval_assets.core.money.projection.estimate import bytes_at_most, output_limit
from itemeval_assets.core.money.projection.sizes import PromptSizes, prompt_sizes, sizes_of
from itemeval_assets.core.prompts.prompts import ITEM_RUBRIC, Item, Prompt
from itemeval_assets.stages.calls.stage_run import Scope
from itemeval_assets.stages.item_rubrics import ItemRubrics

PromptFor = Callable[[Item, str | None], Prompt]


class StudyPrompts:
    """The sizes of what the items are asked, in their order. Conditions share templates."""

    def __init__(self, scope: Scope) -> None:
        self._design, self._rubrics = scope.study.design, ItemRubrics(scope)
        # By rubric condition, the items that a run has a rubric written for: bool[items].
        self._coming: dict[str, np.ndarray] = {}
        self._items = [scope.items_by_id[id] for id in scope.items["item_id"].to_pylist()]
        self._known: dict[tuple[Hashable, ...], PromptSizes] = {}

    def expect_rubrics(self, rubric: str, items: np.ndarray) -> None:
        """From now on the rubrics of these items (bool[items]) are still to be written."""
        self._coming[rubric] = items
        known = self._known.items()
        self._known = {key: sizes for key, sizes in known if key[-1] != rubric}

    def sizes(self, partition: Partition) -> PromptSizes:
        """Of generate conditions, and of those that write rubrics, no prompt holds a solution."""
        if partition.stage is not GRADE:
            id, writers = partition.condition_id, self._design.written_by_id
            condition = writers[id] if id in writers else self._design.generate_by_id[id]
            texts = (condition.prompt_for(item).text for item in self._items)
            none = np.zeros(len(self._items), np.int64)
            template = id if isinstance(condition, RubricCondition) else condition.prompt
            return self._once((template, None), lambda: PromptSizes(sizes_of(texts), none))
        call = self._design.grade_by_id[partition.grade].grader.call
        assert call is not None
        prompt_for, rubric = call.prompt_for, self._design.rubric_of(partition)
        if rubric:
            id = rubric.condition_id
            return self._once((prompt_for, id), lambda: self._by_rubrics(prompt_for, id))
        return self._once((prompt_for, None), lambda: prompt_sizes(self._items, prompt_for))

    def _by_rubrics(self, prompt_for: PromptFor, rubric: str) -> PromptSizes:
        """Of items whose rubric is still to be written: as large as it may become."""
        texts = self._rubrics.texts(rubric)
        coming = self._coming.get(rubric, np.zeros(len(self._items), bool))
        known = [
            None if comes else texts.get(item["item_id"])
            for item, comes in zip(self._items, coming, strict=True)
        ]
        items = [
            {**item, ITEM_RUBRIC: text or ""} for item, text in zip(self._items, known, strict=True)
        ]
        found = prompt_sizes(items, prompt_for)
        limit = output_limit(self._design.written_by_id[rubric].params.get("max_tokens"))
        for place, text in enumerate(known):
            if text is None:
                longer = {**items[place], ITEM_RUBRIC: "x"}
                times = len(prompt_for(longer, "").text) - found.bare[place, 0]
                found.bare[place] += times * bytes_at_most(limit)
        return found

    def _once(self, template: tuple[Hashable, ...], find: Callable[[], PromptSizes]) -> PromptSizes:
        if template not in self._known:
            self._known[template] = find()
        return self._known[template]
