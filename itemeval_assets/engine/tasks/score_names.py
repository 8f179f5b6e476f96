"""The scores that scorers declare: those of a task, and those that the header of a log names."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from itemeval_assets.core.tasks.lock import ScoreName

# Which metric makes a score a value from 0 to 1, as inspect_ai registers it.
ACCURACY = "inspect_ai/accuracy"


def score_names(
    scorers: Iterable[tuple[str, Any]], name_of_metric: Callable[[Any], str | None]
) -> Iterator[ScoreName]:
    """The scores of a sample, named as inspect_ai names them.

    `scorers`: the name of each, and its metrics. A scorer whose values are known once it has scored
    a sample declares none.
    """
    taken: list[str] = []
    for base, metrics in scorers:
        name, count = base, 1
        while name in taken:
            name, count = f"{base}{count}", count + 1
        taken.append(name)
        named = _keys(metrics)
        keys = {key: of for key, of in named.items() if "*" not in key}
        if named and not keys:
            continue
        yield from [
            ScoreName(name, key, _is_share(of, name_of_metric)) for key, of in keys.items()
        ] or [ScoreName(name, is_share=_is_share(metrics, name_of_metric))]


def _keys(metrics: Any) -> dict[str, Any]:
    """{value: its metrics} of a scorer that has several values; none of another one."""
    groups = metrics if isinstance(metrics, list | tuple) else [metrics]
    named = {key: of for group in groups if isinstance(group, Mapping) for key, of in group.items()}
    return {str(key): of for key, of in named.items()}


def _is_share(metrics: Any, name_of_metric: Callable[[Any], str | None]) -> bool:
    """Whether metrics hold inspect_ai's accuracy, which is one of values from 0 to 1."""
    found = metrics if isinstance(metrics, list | tuple) else [metrics]
    return any(name_of_metric(one) == ACCURACY for one in found)
