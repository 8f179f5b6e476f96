"""The record of one model: its mean scores with their certainty, and what they are of."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from itemeval_assets.core.config.sections import TaskBenchmark
from itemeval_assets.core.design.conditions.conditions import GenerateCondition, GradeCondition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.records.summaries import left_out_words

from ..figures.scores.records import Score
from .model import model_id, model_info

SCHEMA_VERSION = "0.3.0"
RELATIONSHIPS = ("first_party", "third_party", "collaborative", "other")
_ARGS = ("temperature", "top_p", "max_tokens")


class Source(NamedTuple):
    """Who says so. `relationship`: of the organization to those who made the model."""

    organization: str
    relationship: str


class Made(NamedTuple):
    """When a record is made, in seconds since 1970, and with which versions."""

    at: int
    ours: str
    inspect: str


def record_of(
    study: Study, model: str, scores: Sequence[Score], source: Source, made: Made, graded_at: str
) -> dict[str, Any]:
    """One document of the schema; `scores` are those of this model that have a mean."""
    info = model_info(model)
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluation_id": evaluation_id(study, model, made.at),
        "evaluation_timestamp": graded_at,
        "retrieved_timestamp": str(made.at),
        "source_metadata": {
            "source_name": study.name,
            "source_type": "evaluation_run",
            "source_organization_name": source.organization,
            "evaluator_relationship": source.relationship,
            "additional_details": {"config_sha256": study.config_sha256},
        },
        "eval_library": {
            "name": "itemeval_assets",
            "version": made.ours,
            "additional_details": {"inspect_ai": made.inspect},
        },
        "model_info": info,
        "evaluation_results": [_result(study, score) for score in scores],
    }


def evaluation_id(study: Study, model: str, at: int) -> str:
    return f"{study.name}/{model_id(model)}/{at}"


def result_id(gen_condition_id: str, grade_condition_id: str) -> str:
    """What joins a row to its result."""
    return f"{gen_condition_id}|{grade_condition_id}"


def _result(study: Study, score: Score) -> dict[str, Any]:
    assert score.grade_condition_id
    generate = study.design.generate_by_id[score.gen_condition_id]
    grade = study.design.grade_by_id[score.grade_condition_id]
    return {
        "evaluation_result_id": result_id(generate.id, grade.id),
        "evaluation_name": study.name,
        "source_data": _source_data(study, score.n_items),
        "metric_config": _metric(study, grade, score),
        "score_details": {
            "score": score.mean,
            "uncertainty": _uncertainty(score),
            "details": _texts(
                {
                    "condition": score.condition,
                    "cells": score.cells,
                    "scores": score.n_events,
                    "left_out": left_out_words(score.left_out),
                    "clusters": score.n_clusters,
                    "bounds": score.bounds and "{} to {}".format(*score.bounds),
                    "warnings": " ".join(score.warnings) or None,
                }
            ),
        },
        "generation_config": _generation(study, generate),
    }


def _source_data(study: Study, items: int) -> dict[str, Any]:
    """Where the items are from. Of several data sets the schema has room for the names alone."""
    benchmark = study.config.benchmark
    if isinstance(benchmark, TaskBenchmark):
        return {"source_type": "other", "dataset_name": benchmark.task}
    names = [dataset.id.rsplit("/", 1)[-1] for dataset in benchmark.datasets]
    [first, *others] = benchmark.datasets
    if benchmark.adapter != "hf" or others or (study.config_dir / first.id).is_dir():
        return {"source_type": "other", "dataset_name": ", ".join(names)}
    return {
        "source_type": "hf_dataset",
        "dataset_name": names[0],
        "hf_repo": first.id,
        "hf_split": first.split,
        "samples_number": items,
        "additional_details": _texts({"revision": first.revision, "name": first.name}),
    }


def _metric(study: Study, grade: GradeCondition, score: Score) -> dict[str, Any]:
    grader = grade.grader
    found = {
        "evaluation_description": (
            "Mean over items of the mean score of their replications, without what has no score"
        ),
        "metric_id": f"{study.name}.{grade.slug}",
        "metric_name": score.graded_by,
        "metric_kind": "mean_score",
        "lower_is_better": False,
        "additional_details": _texts(grade.columns),
        **_bounds(score),
    }
    if (call := grader.asked) and grader.template:
        judge = {"model_info": model_info(call.model)}
        temperature = call.settings.get("temperature")
        found["llm_scoring"] = {
            "judges": [judge if temperature is None else {**judge, "temperature": temperature}],
            "input_prompt": grader.template.public_text,
        }
    return found


def _bounds(score: Score) -> dict[str, Any]:
    """The scale, where it is declared and the mean is on it."""
    if score.scale is None or not score.scale[0] <= (score.mean or 0.0) <= score.scale[1]:
        return {}
    low, high = score.scale
    return {"score_type": "continuous", "min_score": low, "max_score": high}


def _uncertainty(score: Score) -> dict[str, Any]:
    found: dict[str, Any] = {"num_samples": score.n_items}
    if score.standard_error is not None:
        found["standard_error"] = {"value": score.standard_error, "method": score.method or ""}
    if score.low is not None and score.high is not None:
        found["confidence_interval"] = {
            "lower": score.low,
            "upper": score.high,
            "confidence_level": score.level,
            "method": score.method or "",
        }
    return found


def _generation(study: Study, generate: GenerateCondition) -> dict[str, Any]:
    """The settings that were asked for; what the YAML leaves open the provider chose."""
    args = {name: generate.params[name] for name in _ARGS if name in generate.params}
    rest = {name: value for name, value in generate.params.items() if name not in _ARGS}
    return {
        "generation_args": {**args, "prompt_template": generate.prompt.public_text},
        "additional_details": _texts(
            {
                "gen_condition_id": generate.id,
                "prompt_name": generate.prompt.name,
                "prompt_hash": generate.prompt.hash,
                "model_config_name": generate.model_config_name,
                "wave": generate.wave and generate.wave.name,
                "replications": study.config.facets.replications,
                **rest,
            }
        ),
    }


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Details are texts; what is unknown is no detail."""
    return {name: str(value) for name, value in values.items() if value is not None}
