"""A task whose logs lie beside it, as several versions of inspect_ai write them."""

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.scorer import Score, accuracy, includes, match, scorer
from inspect_ai.solver import generate

CAPITALS = {
    "France": "Paris",
    "Spain": "Madrid",
    "Italy": "Rome",
    "Peru": "Lima",
    "Kenya": "Nairobi",
    "Japan": "Tokyo",
}


@scorer(metrics={"short": [accuracy()], "polite": [accuracy()]})
def manners():
    async def score(state, target):
        text = state.output.completion
        return Score(value={"short": len(text) < 10, "polite": "please" in text})

    return score


def _samples(n):
    return MemoryDataset(
        [
            Sample(id=land, input=f"The capital of {land}?", target=town, metadata={"row": row})
            for row, (land, town) in enumerate([*CAPITALS.items()][:n])
        ]
    )


@task
def capitals(n: int = 6, hint: str = ""):
    return Task(dataset=_samples(n), solver=generate(), scorer=match(location="any"))


@task
def several(n: int = 6):
    return Task(dataset=_samples(n), solver=generate(), scorer=[includes(), manners()])
