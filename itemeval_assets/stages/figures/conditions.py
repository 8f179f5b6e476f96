"""conditions: every condition of the design with all its parts, to be joined by its id."""

from typing import Any

from itemeval_assets.core.config.sections import WaveConfig
from itemeval_assets.core.design.study import Study

__all__ = ["conditions"]


def conditions(study: Study) -> list[dict[str, Any]]:
    """A record per condition, generate and rubric before grade, in the order of the YAML."""
    return [
        *(
            {
                "stage": "generate",
                "condition_id": one.id,
                "slug": one.slug,
                "label": one.label,
                "model": one.model,
                "prompt_name": one.prompt.name,
                "prompt_hash": one.prompt.hash,
                "model_config_name": one.model_config_name,
                "params": one.params,
                **_time(one.wave),
            }
            for one in study.design.generate
        ),
        *(
            {
                "stage": "rubric",
                "condition_id": one.id,
                "slug": one.slug,
                "label": one.label,
                "model": one.model,
                "rubric_name": one.name,
                "rubric_hash": one.template.hash,
                "params": one.params,
                **_time(None),
            }
            for one in study.design.written
        ),
        *(
            {
                "stage": "grade",
                "condition_id": one.id,
                "slug": one.slug,
                "label": one.label,
                "model": one.columns["grader_model"],
                **{name: one.columns[name] for name in _GRADE},
                "temperature": one.grader.asked.settings.get("temperature")
                if one.grader.asked
                else None,
                "repeat": one.grader.repeat,
                "scale": one.grader.scale,
                **_time(one.rejudge),
                "criterion": one.criterion,
            }
            for one in study.design.grade
        ),
    ]


def _time(time: WaveConfig | None) -> dict[str, Any]:
    """The later time that a condition is of: a wave, or a rejudge."""
    return {"wave": time and time.name, "anchors": time and time.anchors}


_GRADE = ("grade_kind", "grader_name", "rubric_name", "rubric_hash", "scorer_name")
