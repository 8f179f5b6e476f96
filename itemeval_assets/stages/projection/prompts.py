"""How large the prompts of a study are, found out once for each template."""

from collections.abc import Callable, Hashable

import numpy as np

from itemeval_assets.core.design.partitions import GENERATE, Partition
from itemeval_assets.core.money.projection.sizes import PromptSizes, prompt_sizes, sizes_of
from itemeval_assets.stages.calls.stage_run import Scope


class StudyPrompts:
    """The sizes of what the items are asked, in their order. Conditions share templates."""

    def __init__(self, scope: Scope) -> None:
        self._design = scope.study.design
        self._items = [scope.items_by_id[id] for id in scope.items["item_id"].to_pylist()]
        self._known: dict[Hashable, PromptSizes] = {}

    def sizes(self, partition: Partition) -> PromptSizes:
        """Of generate conditions, no prompt holds a solution."""
        if partition.stage is GENERATE:
            condition = self._design.generate_by_id[partition.generate]
            texts = (condition.prompt_for(item).text for item in self._items)
            none = np.zeros(len(self._items), np.int64)
            return self._once(condition.prompt, lambda: PromptSizes(sizes_of(texts), none))
        call = self._design.grade_by_id[partition.grade].grader.call
        assert call is not None
        prompt_for = call.prompt_for
        return self._once(prompt_for, lambda: prompt_sizes(self._items, prompt_for))

    def _once(self, template: Hashable, find: Callable[[], PromptSizes]) -> PromptSizes:
        if template not in self._known:
            self._known[template] = find()
        return self._known[template]
