"""Judges: a model, and a rubric that it is shown with each solution."""

import json
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from pydantic import Field

from itemeval_assets.core.grading.grader import Grader, ModelCall
from itemeval_assets.core.prompts.prompts import Item, Prompt, filled_in, rubric_values
from itemeval_assets.core.prompts.templates import Template
from itemeval_assets.core.text.labels import Part
from itemeval_assets.core.text.yaml.sections import IDENTITY

from .any_judge import AnyJudgeConfig
from .judge_reply import FORMAT_NOTICE, JUDGE_FORMAT_VERSION, REPLY_SCHEMA, parse_judge_reply


class JudgeConfig(AnyJudgeConfig):
    """A judge with a rubric. At a temperature above 0, repeats show how alike its scores are."""

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


def _judge(name: str, config: JudgeConfig, rubric: Template) -> Grader:
    short_name = name.rsplit("/", maxsplit=1)[-1] if name == config.model else name
    return config.judge(
        name,
        rubric,
        payload=_payload(name, config, rubric),
        label_parts=(Part(short_name, name), Part(rubric.short_name, rubric.name)),
        call=ModelCall(
            model=config.model,
            where="facets.grader" if name == config.model else f"graders.{name}",
            settings=config.settings,
            prompt_for=_prompts_of(rubric, config.split_rubric),
            verdict_of=parse_judge_reply,
            mock_reply=_mock_replies(config.scale),
            reply_schema=REPLY_SCHEMA if config.structured else None,
            provider_routing=config.provider_routing,
        ),
    )


def _payload(name: str, config: JudgeConfig, rubric: Template) -> dict[str, Any]:
    identity = {"name": name, "model": config.model, **config.settings}
    payload: dict[str, Any] = {
        "grader": {key: value for key, value in identity.items() if value is not None},
        "rubric": {"name": rubric.name, "hash": rubric.hash},
        "format": JUDGE_FORMAT_VERSION,
    }
    if config.structured:
        payload["structured"] = True
    if config.split_rubric or rubric.is_chat:
        payload["layout"] = "turns" if rubric.is_chat else "split"
    return payload


@cache
def _prompts_of(rubric: Template, split: bool) -> Callable[[Item, str | None], Prompt]:
    """The same for all judges with a rubric, so that it is measured once for all of them."""
    return partial(_prompt, rubric, split)


def _prompt(rubric: Template, split: bool, item: Item, solution: str | None) -> Prompt:
    """The rubric filled in, with the notice of the reply format at its end."""
    prompt = filled_in(rubric, "solution", rubric_values(item, solution), split)
    return prompt.ending_with(FORMAT_NOTICE)


@cache
def _mock_replies(scale: tuple[float, float] | None) -> Callable[[float], str]:
    """The same for all judges with a scale: a mock model is made once for all of them."""
    return partial(_mock_reply, *(scale or (0.0, 1.0)))


def _mock_reply(low: float, high: float, quality: float) -> str:
    """A verdict in whole points where the scale has more than two, else in quarters of it."""
    width = high - low
    steps = width if width > 2 and width.is_integer() else 4
    score = low + width * round(steps * quality) / steps
    number = int(score) if score.is_integer() else round(score, 6)
    verdict = {"score": number, "reasoning": "A mock verdict: no real model has judged it."}
    return f"```json\n{json.dumps(verdict)}\n```"
