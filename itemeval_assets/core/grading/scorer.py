"""Scorers: they compare the answer in a solution with the item's target, and call nobody."""

from collections.abc import Callable

from itemeval_assets.core.prompts.prompts import Item
from itemeval_assets.core.text.labels import Part

from .grader import Grader, Targets
from .verdict import Verdict


def scorer(
    name: str, version: str, score: Callable[[str, str], Verdict], targets: Targets | None = None
) -> Grader:
    """A scorer by rules: `score` takes a solution and a target, and a null one as a blank one.

    `targets` are those that `score` can compare with; null: any. `version` is that of the rules.
    Raise it when they change: verdicts of another version are stale, and the next run does them
    again, free.
    """

    def rules(item: Item, solution: str | None) -> Verdict:
        return score(solution or "", item["target"] or "")

    return Grader(
        kind="verifiable",
        name=name,
        slug_parts=["scorer", name],
        payload={"scorer": name},
        columns={"scorer_name": name, "scorer_version": version},
        label_parts=(Part(name, name),),
        scale=(0.0, 1.0),
        rules=rules,
        targets=targets,
    )
