"""Graders that no file of the package knows, registered as `core/grading/kinds.py` would do it.

As a program: runs a study that uses them, twice, and tells as JSON what came of it.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from itemeval_assets.core.grading.grader import Grader, GraderConfig, ModelCall
from itemeval_assets.core.grading.kinds import KINDS, SCORERS
from itemeval_assets.core.grading.scorer import scorer
from itemeval_assets.core.grading.verdict import Verdict
from itemeval_assets.core.prompts.prompts import Item, one_message
from itemeval_assets.core.prompts.templates import Template
from itemeval_assets.core.text.labels import Part


class YesNoConfig(GraderConfig):
    """A model that says yes or no, without a rubric and without JSON."""

    kind: Literal["yes_no"]
    asked: str
    question: str

    def graders(self, name: str, rubrics: Sequence[Template]) -> list[Grader]:
        call = ModelCall(
            model=self.asked,
            where=f"graders.{name}.asked",
            settings={"temperature": 0.5, "max_tokens": 3},
            prompt_for=lambda item, text: one_message(f"{self.question}\n{item['input']}\n{text}"),
            verdict_of=yes_or_no,
            mock_reply=lambda quality: "yes" if quality >= 0.5 else "no",
        )
        columns = {"grader_name": name, "grader_model": self.asked}
        return [grader(self, name, columns, call=call)]

    @property
    def models(self) -> Mapping[str, str]:
        return {"asked": self.asked}


class CountConfig(GraderConfig):
    """Counts a sign, and calls nobody."""

    kind: Literal["count"]
    sign: str

    def graders(self, name: str, rubrics: Sequence[Template]) -> list[Grader]:
        return [grader(self, name, {"grader_name": name}, rules=self.count)]

    def count(self, item: Item, solution: str | None) -> Verdict:
        found = (solution or "").count(self.sign)
        return Verdict.scored(float(found), str(found))


def grader(config: YesNoConfig | CountConfig, name: str, columns: Any, **grades: Any) -> Grader:
    return Grader(
        kind=config.kind,
        name=name,
        slug_parts=[config.kind, name],
        payload={"grader": config.model_dump()},
        columns=columns,
        label_parts=(Part(name, name),),
        **grades,
    )


def yes_or_no(reply: str | None) -> Verdict:
    said = {"yes": 1.0, "no": 0.0}.get(reply or "")
    return Verdict.failed("neither") if said is None else Verdict.scored(said, reply or "")


def length(solution: str, target: str) -> Verdict:
    return Verdict.scored(float(len(solution)), str(len(solution)))


KINDS |= {"yes_no": YesNoConfig, "count": CountConfig}
SCORERS["length"] = scorer("length", "1", length)


def main(config: Path) -> None:
    from itemeval_assets import api
    from itemeval_assets.core.errors import ConfigError

    foreseen = api.estimate(config)
    first, second = api.run(config), api.run(config)
    text = config.read_text()
    config.write_text(text.replace("question:", "qestion:"))
    with pytest.raises(ConfigError) as refused:
        api.load_study(config)
    config.write_text(text)
    told = {
        "foreseen": [part.label for part in foreseen.grade],
        "calls": [first.calls, second.calls],
        "failed_checks": len(first.failed_checks),
        "ids": [condition.id for condition in api.load_study(config).design.grade],
        "done": {part.label: part.done for part in first.status.grade},
        "asker": api.estimate(config, graders=["asker"], force=True).grid.calls,
        "refused": str(refused.value),
        **{name: json.loads(api.table(config, name).to_json(orient="records")) for name in TABLES},
    }
    print(json.dumps(told))


TABLES = ("gradings", "gradings_long", "ledger")

if __name__ == "__main__":
    main(Path(sys.argv[1]))
