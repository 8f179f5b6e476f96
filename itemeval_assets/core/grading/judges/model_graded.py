"""Judges by a model-graded scorer of inspect_ai: its prompt, its grades, and a model."""

import json
import re
from collections.abc import Callable
from functools import cache, partial
from typing import Any, Literal

import re2
from pydantic import Field, field_validator

from itemeval_assets.core.errors import TemplateError
from itemeval_assets.core.grading.code import MODEL_GRADED
from itemeval_assets.core.grading.grader import (
    SCORER_SCALE,
    Grader,
    ModelCall,
    ScoreScale,
)
from itemeval_assets.core.grading.grading_prompt import OF_SAMPLES, GradingPrompt
from itemeval_assets.core.grading.own.regex import compiled, refusal
from itemeval_assets.core.grading.verdict import Verdict
from itemeval_assets.core.prompts.chats import IS_CHAT, last_question
from itemeval_assets.core.prompts.prompts import Item, Prompt, one_message
from itemeval_assets.core.prompts.templates import Template
from itemeval_assets.core.text.labels import Part
from itemeval_assets.core.text.yaml.sections import IDENTITY, Section

from .any_judge import AnyJudgeConfig
from .grades import grade_reader

# inspect_ai's marks around the data of a sample: no text of a sample may pass for one.
_DELIMITER = re.compile(r"\[(BEGIN|END) DATA\]", re.IGNORECASE)
_ONE_MODEL = "the model is `model`, beside `scorer`; for several declare a judge for each"
# Arguments of inspect_ai's scorers that no stored answer can have, and why.
_REFUSED = {
    "model": _ONE_MODEL,
    "model_role": _ONE_MODEL,
    "reducer": "it is about votes of several models: declare a judge for each, and compare them",
    "include_history": "stored answers have no messages; the judge is shown the question",
}


class ScorerArguments(Section):
    """The arguments of a model-graded scorer."""

    template: str | None = Field(
        default=None,
        min_length=1,
        description="with {question}, {answer}, {criterion}, {instructions}: a file beside this "
        "one, or the text",
        examples=["grading.txt"],
        json_schema_extra=IDENTITY,
    )
    instructions: str | None = Field(
        default=None,
        min_length=1,
        description="how to grade, and how to end the reply",
        examples=["End with the word GRADE, a colon and C or I."],
        json_schema_extra=IDENTITY,
    )
    grade_pattern: str | None = Field(
        default=None,
        min_length=1,
        description="a pattern of RE2 whose first group is the grade; null: GRADE: C",
        examples=["(?i)grade is ([CPI])"],
        json_schema_extra=IDENTITY,
    )
    partial_credit: bool = Field(
        default=False,
        description="offers P, half the credit, in the instructions of inspect_ai",
        json_schema_extra=IDENTITY,
    )

    @field_validator("grade_pattern")
    @classmethod
    def _has_a_group(cls, pattern: str | None) -> str | None:
        if pattern is None:
            return None
        try:
            groups = compiled(pattern).groups
        except re2.error as error:
            raise ValueError(refusal(error)) from None
        if not groups:
            raise ValueError("put the grade in a group, such as 'GRADE: ([CPI])'")
        return pattern


class ModelGradedConfig(AnyJudgeConfig):
    """A judge that asks and reads as a model-graded scorer of inspect_ai does."""

    scorer: Literal[MODEL_GRADED] = Field(  # type: ignore[valid-type]
        description="in the place of rubrics: a model-graded scorer of inspect_ai",
        examples=["model_graded_qa"],
        json_schema_extra=IDENTITY,
    )
    args: ScorerArguments = Field(
        default_factory=ScorerArguments, description="what that scorer is called with"
    )
    scale: ScoreScale = Field(
        default=SCORER_SCALE,
        description="the lowest and the highest score; with `scorer`, [0, 1] unless set",
        examples=[[0, 1]],
    )

    @field_validator("scorer", mode="before")
    @classmethod
    def _is_model_graded(cls, scorer: object) -> object:
        name = str(scorer).removeprefix("inspect_ai/")
        if name not in MODEL_GRADED:
            raise ValueError(
                f"a judge takes {' or '.join(MODEL_GRADED)}; found {scorer!r}. A scorer that asks "
                "no model is an entry of `scorers`: {type: inspect, scorer: ...}"
            )
        return name

    @field_validator("args", mode="before")
    @classmethod
    def _fits_stored_answers(cls, args: object) -> object:
        if args is None:
            return {}
        for name in args if isinstance(args, dict) else ():
            if name in _REFUSED:
                raise ValueError(f"remove {name!r}: {_REFUSED[name]}")
        return args

    @property
    def own_prompt(self) -> GradingPrompt:
        args = self.args
        return GradingPrompt(self.scorer, args.template, args.instructions, args.partial_credit)

    def once(self, name: str, rubric: Template) -> Grader:
        return self.judge(
            name,
            rubric,
            payload={"grader": self._identity(name), "rubric": {"hash": rubric.hash}},
            label_parts=(Part(name, name), Part(rubric.name, rubric.name)),
            call=ModelCall(
                model=self.model,
                where=f"graders.{name}",
                settings=self.settings,
                prompt_for=partial(_prompt, name, rubric.text),
                verdict_of=self._reader(),
                mock_reply=_mock_replies(self.args.partial_credit),
                provider_routing=self.provider_routing,
            ),
        )

    def _identity(self, name: str) -> dict[str, Any]:
        """The texts of the arguments are in the hash of the template."""
        given = self.args.model_dump(include={"grade_pattern", "partial_credit"})
        args = {key: value for key, value in given.items() if value}
        identity = {"name": name, "model": self.model, "scorer": self.scorer, **self.settings}
        found = {key: value for key, value in identity.items() if value is not None}
        return {**found, "args": args} if args else found

    def _reader(self) -> Callable[[str | None], Verdict]:
        args = self.args
        pattern = compiled(args.grade_pattern) if args.grade_pattern else None
        return grade_reader(pattern, args.instructions is not None, args.partial_credit)


def _prompt(name: str, template: str, item: Item, solution: str | None) -> Prompt:
    """The prompt as inspect_ai builds it. Raises TemplateError where the item lacks a column."""
    question = last_question(item["input"]) if item.get(IS_CHAT) else item["input"]
    columns = _neutral(json.loads(item["metadata_json"]))
    shown = (question, solution or "", item["target"] or "")
    own = dict(zip(OF_SAMPLES, map(_neutral, shown), strict=True))
    try:
        return one_message(template.format(**{**columns, **own}))
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        raise TemplateError(
            f"graders.{name}.args.template: it does not fit the item {item['item_id']!r}: "
            f"{type(error).__name__}: {error}"
        ) from None


def _neutral(value: Any) -> Any:
    """A value of a sample in which no text passes for a mark of the template."""
    if isinstance(value, str):
        return _DELIMITER.sub(lambda found: found[0].replace(" ", "-"), value)
    if isinstance(value, dict):
        return {key: _neutral(one) for key, one in value.items()}
    return [_neutral(one) for one in value] if isinstance(value, list) else value


@cache
def _mock_replies(partial_credit: bool) -> Callable[[float], str]:
    """The same for all judges with these letters: a mock model is made once for all of them."""
    return partial(_mock_reply, "CPI" if partial_credit else "CI")


def _mock_reply(letters: str, quality: float) -> str:
    letter = letters[round((1 - quality) * (len(letters) - 1))]
    return f"A mock verdict: no real model has judged it.\n\nGRADE: {letter}"
