"""Judges: a model, and a rubric that it is shown with each solution."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

from pydantic import Field

from itemeval_assets.core.grading.grader import Grader, InReply, ModelCall, ScoreScale
from itemeval_assets.core.prompts.criteria import Criterion, body_of, criteria_of
from itemeval_assets.core.prompts.prompts import Item, Prompt, filled_in, rubric_values
from itemeval_assets.core.prompts.templates import Template
from itemeval_assets.core.text.labels import Part
from itemeval_assets.core.text.yaml.sections import IDENTITY

from .any_judge import AnyJudgeConfig
from .criteria_reply import (
    CRITERIA_FORMAT_VERSION,
    criteria_notice,
    criteria_schema,
    criterion_verdict,
    total_verdict,
)
from .judge_reply import FORMAT_NOTICE, JUDGE_FORMAT_VERSION, REPLY_SCHEMA, parse_judge_reply


class JudgeConfig(AnyJudgeConfig):
    """A judge with a rubric. At a temperature above 0, repeats show how alike its scores are.

    Of a rubric with criteria one call makes several graders: the total, and each criterion.
    """

    structured: bool = Field(
        default=False,
        description="the provider enforces the format of the reply",
        json_schema_extra=IDENTITY,
    )
    split_rubric: bool = Field(
        default=False,
        description="send the text before {solution} as the system message",
        json_schema_extra=IDENTITY,
    )

    def once(self, name: str, rubric: Template) -> Grader:
        return _judge(name, self, rubric)

    def parts_of(self, judge: Grader) -> list[Grader]:
        assert judge.template
        criteria = criteria_of(judge.template)
        names = tuple(one.name for one in criteria)
        return [_in_reply_of(judge, one, names, self.scale) for one in criteria]


def _judge(name: str, config: JudgeConfig, rubric: Template) -> Grader:
    short_name = name.rsplit("/", maxsplit=1)[-1] if name == config.model else name
    criteria = criteria_of(rubric)
    names = tuple(one.name for one in criteria)
    scales = [one.scale or config.scale for one in criteria]
    call = ModelCall(
        model=config.model,
        where="facets.grader" if name == config.model else f"graders.{name}",
        settings=config.settings,
        prompt_for=_prompts_of(rubric, config.split_rubric),
        verdict_of=partial(total_verdict, names) if criteria else parse_judge_reply,
        mock_reply=_mock_replies(config.scale, criteria),
        reply_schema=_schema(criteria) if config.structured else None,
        provider_routing=config.provider_routing,
    )
    judge = config.judge(
        name,
        rubric,
        payload=_payload(name, config, rubric),
        label_parts=(Part(short_name, name), Part(rubric.short_name, rubric.name)),
        call=call,
    )
    return replace(judge, scale=_sum_of(scales)) if criteria else judge


def _in_reply_of(
    judge: Grader, criterion: Criterion, names: tuple[str, ...], scale: ScoreScale
) -> Grader:
    """The grader that one criterion of a judge's rubric is."""
    name = criterion.name
    return replace(
        judge,
        slug_parts=[*judge.slug_parts, name],
        payload={**judge.payload, "criterion": name},
        label_parts=(*judge.label_parts, Part(name, name)),
        scale=criterion.scale or scale,
        call=None,
        criterion=InReply(
            name=name, total=judge, verdict_of=partial(criterion_verdict, name, names)
        ),
    )


def _sum_of(scales: Sequence[ScoreScale]) -> ScoreScale:
    """The scale of a total; null where that of a criterion is not known."""
    known = [scale for scale in scales if scale is not None]
    if len(known) < len(scales):
        return None
    return sum(low for low, _ in known), sum(high for _, high in known)


def _payload(name: str, config: JudgeConfig, rubric: Template) -> dict[str, Any]:
    identity = {"name": name, "model": config.model, **config.settings}
    payload: dict[str, Any] = {
        "grader": {key: value for key, value in identity.items() if value is not None},
        "rubric": {"name": rubric.name, "hash": rubric.hash},
    }
    if criteria_of(rubric):
        payload["criteria_format"] = CRITERIA_FORMAT_VERSION
    else:
        payload["format"] = JUDGE_FORMAT_VERSION
    if config.structured:
        payload["structured"] = True
    is_chat = body_of(rubric).is_chat
    if config.split_rubric or is_chat:
        payload["layout"] = "turns" if is_chat else "split"
    return payload


def _schema(criteria: Sequence[Criterion]) -> Mapping[str, Any]:
    return criteria_schema(criteria) if criteria else REPLY_SCHEMA


@cache
def _prompts_of(rubric: Template, split: bool) -> Callable[[Item, str | None], Prompt]:
    """The same for all judges with a rubric, so that it is measured once for all of them."""
    criteria = criteria_of(rubric)
    notice = criteria_notice(criteria) if criteria else FORMAT_NOTICE
    return partial(_prompt, body_of(rubric), split, notice)


def _prompt(rubric: Template, split: bool, notice: str, item: Item, solution: str | None) -> Prompt:
    """The rubric filled in, with the notice of the reply format at its end."""
    prompt = filled_in(rubric, "solution", rubric_values(item, solution), split)
    return prompt.ending_with(notice)


@cache
def _mock_replies(scale: ScoreScale, criteria: tuple[Criterion, ...]) -> Callable[[float], str]:
    """The same for all judges with a scale: a mock model is made once for all of them."""
    scales = {one.name: one.scale or scale or (0.0, 1.0) for one in criteria}
    if scales:
        return partial(_mock_reply_to_criteria, scales)
    return partial(_mock_reply, *(scale or (0.0, 1.0)))


def _mock_reply_to_criteria(scales: Mapping[str, tuple[float, float]], quality: float) -> str:
    return _fenced({name: _mock_verdict(*scale, quality) for name, scale in scales.items()})


def _mock_reply(low: float, high: float, quality: float) -> str:
    return _fenced(_mock_verdict(low, high, quality))


def _mock_verdict(low: float, high: float, quality: float) -> dict[str, Any]:
    """A verdict in whole points where the scale has more than two, else in quarters of it."""
    width = high - low
    steps = width if width > 2 and width.is_integer() else 4
    score = low + width * round(steps * quality) / steps
    number = int(score) if score.is_integer() else round(score, 6)
    return {"score": number, "reasoning": "A mock verdict: no real model has judged it."}


def _fenced(reply: Mapping[str, Any]) -> str:
    return f"```json\n{json.dumps(reply)}\n```"
