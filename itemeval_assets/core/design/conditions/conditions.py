"""Conditions: the levels of the design."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from itemeval_assets.core.config.sections import WaveConfig
from itemeval_assets.core.design.partitions import GENERATE, GRADE, RUBRIC, Partition
from itemeval_assets.core.grading.code import Program
from itemeval_assets.core.grading.grader import Grader
from itemeval_assets.core.prompts.chats import readable, stored_turns
from itemeval_assets.core.prompts.prompts import (
    Item,
    Prompt,
    filled_in,
    one_message,
    solver_values,
)
from itemeval_assets.core.prompts.templates import Template
from itemeval_assets.core.tasks.reference import TaskRef
from itemeval_assets.core.text.labels import Part, pair_label

from .rubrics import RubricCondition

GRADER_COLUMNS = (
    *("grader_name", "grader_model", "rubric_name", "rubric_hash"),
    *("scorer_name", "scorer_version"),
)


@dataclass(frozen=True)
class GenerateCondition:
    """One model x prompt x model_config. `params` holds only the sampling settings that are set.

    `columns`: the metadata columns that its prompt names. `takes_chats`: the items are chats.
    `shows_images`: they have images. `task`: the task of inspect_ai that answers, if one does.
    `wave`: the later time at which it is asked again; null: it is asked for the first time.
    `first_id`: the id of then, which all its waves share.
    """

    id: str
    slug: str
    payload: dict[str, Any]
    model: str
    model_config_name: str
    prompt: Template
    params: dict[str, Any]
    split_prompt: bool
    columns: tuple[str, ...] = ()
    takes_chats: bool = False
    shows_images: bool = False
    task: TaskRef | None = None
    wave: WaveConfig | None = None
    first_id: str = ""
    label: str = ""

    @cached_property
    def label_parts(self) -> tuple[Part, ...]:
        """What its label is made of."""
        name = self.model_config_name
        short = self.task.short if self.task else self.prompt.short_name
        wave = f"wave {self.wave.name}" if self.wave else ""
        return (
            Part(self.model.split("/")[-1], self.model),
            Part(short, self.prompt.name),
            Part("" if name == "default" else name, name),
            Part(wave, wave),
        )

    def prompt_for(self, item: Item) -> Prompt:
        """The prompt of one item, the same for all its replications.

        Of a task it is what its sample shows: no one knows what else its solver says. Reads item_id
        and input, and metadata_json where the prompt names columns.
        """
        if self.task:
            return one_message(readable(item["input"]))
        values = solver_values(item, self.columns)
        chat = stored_turns(item["input"]) if self.takes_chats else ()
        prompt = filled_in(self.prompt, "input", values, self.split_prompt, chat)
        return prompt._replace(shared=len(prompt.text))


@dataclass(frozen=True)
class GradeCondition:
    """One way to grade: a scorer, a judge with one rubric, one of its criteria or repeats, a rater.


    `first_id` is that of the first repeat, and so the same for all of them. `rejudge`: the later
    time at which the judge grades the first answers again; null: it grades each answer once.
    `total_id`: of a criterion, that of the condition whose replies have its scores.
    """

    id: str
    slug: str
    payload: dict[str, Any]
    grader: Grader
    first_id: str
    rejudge: WaveConfig | None = None
    total_id: str | None = None
    label: str = ""

    @cached_property
    def label_parts(self) -> tuple[Part, ...]:
        """What its label is made of. The first repeat is called as a judge without repeats is."""
        repeat = f"repeat {self.grader.repeat}" if self.grader.repeat > 1 else ""
        again = f"rejudged {self.rejudge.name}" if self.rejudge else ""
        return (*self.grader.label_parts, Part(repeat, repeat), Part(again, again))

    @property
    def criterion(self) -> str | None:
        """The criterion of the rubric that it grades; null: of no criterion, or of all."""
        return self.grader.criterion.name if self.grader.criterion else None

    @property
    def columns(self) -> dict[str, str | None]:
        """What all its rows share, under the names of gradings."""
        return {
            "grade_condition_id": self.id,
            "grade_condition_slug": self.slug,
            "grade_kind": self.grader.kind,
            **{name: self.grader.columns.get(name) for name in GRADER_COLUMNS},
        }


@dataclass(frozen=True)
class Design:
    """The full grid of a study, in the order of the YAML.

    `doubts`: what may be wrong in its templates, in words. `written`: the rubrics that models write
    for each item, which grade conditions name.
    """

    generate: tuple[GenerateCondition, ...]
    grade: tuple[GradeCondition, ...]
    doubts: tuple[str, ...] = ()
    written: tuple[RubricCondition, ...] = ()

    @cached_property
    def generate_by_id(self) -> dict[str, GenerateCondition]:
        return {condition.id: condition for condition in self.generate}

    @cached_property
    def grade_by_id(self) -> dict[str, GradeCondition]:
        return {condition.id: condition for condition in self.grade}

    @cached_property
    def written_by_id(self) -> dict[str, RubricCondition]:
        return {condition.id: condition for condition in self.written}

    def rubric_of(self, partition: Partition) -> Partition | None:
        """The rubrics that a partition is graded by, if a model writes them."""
        grade = self.grade_by_id.get(partition.grade) if partition.stage is GRADE else None
        return (
            Partition((grade.grader.item_rubric,)) if grade and grade.grader.item_rubric else None
        )

    @cached_property
    def first_asked(self) -> tuple[GenerateCondition, ...]:
        """The generate conditions that are of no wave."""
        return tuple(one for one in self.generate if one.wave is None)

    @cached_property
    def first_graded(self) -> tuple[GradeCondition, ...]:
        """The grade conditions that are of no later time."""
        return tuple(one for one in self.grade if one.rejudge is None)

    def repeats_of(self, grade: GradeCondition) -> list[GradeCondition]:
        """All repeats of a judge at the time of this one, itself among them."""
        return [
            one
            for one in self.grade
            if (one.first_id, one.rejudge) == (grade.first_id, grade.rejudge)
        ]

    def crosses(self, generate: GenerateCondition, grade: GradeCondition) -> bool:
        """Whether the one grades the other. A wave's answers are graded when they are given."""
        return generate.wave is None or grade.rejudge is None

    def anchors_of(self, partition: Partition) -> int | None:
        """How many items a partition is limited to; null: it has all, or is not of the design."""
        generate = self.generate_by_id.get(partition.generate)
        grade = self.grade_by_id.get(partition.grade) if partition.stage is GRADE else None
        time = (generate.wave if generate else None) or (grade.rejudge if grade else None)
        return time.anchors if time else None

    def scopes_of(self, partition: Partition) -> dict[str, str]:
        """What keeps its answers apart from those of others that are asked the same, by kind.

        Neither a wave nor a repeat may be answered by the response cache with what came before.
        """
        if partition.stage is RUBRIC:
            return {}
        wave = self.generate_by_id[partition.generate].wave
        found = {"wave": wave.name} if wave else {}
        if partition.stage is GRADE:
            condition = self.grade_by_id[partition.grade]
            if condition.grader.repeat > 1:
                found["repeat"] = str(condition.grader.repeat)
            if condition.rejudge:
                found["rejudge"] = condition.rejudge.name
        return found

    def model_of(self, partition: Partition) -> str | None:
        """The model that a partition calls; null where it is graded without a call."""
        if partition.stage is GENERATE:
            return self.generate_by_id[partition.generate].model
        if partition.stage is RUBRIC:
            return self.written_by_id[partition.condition_id].model
        call = self.grade_by_id[partition.grade].grader.call
        return call.model if call else None

    def graders_of(self, gradings: Iterable[Partition]) -> list[Grader]:
        """What grades these partitions, each grade condition once."""
        return [self.grade_by_id[id].grader for id in dict.fromkeys(p.grade for p in gradings)]

    def is_free(self, partition: Partition) -> bool:
        """Whether a partition is graded without a call."""
        return partition.grade in self._free

    def is_rated(self, partition: Partition) -> bool:
        """Whether people grade a partition: no run does."""
        if partition.stage is not GRADE:
            return False
        condition = self.grade_by_id.get(partition.grade)
        return condition is not None and condition.grader.by_people

    @cached_property
    def _free(self) -> frozenset[str]:
        return frozenset(condition.id for condition in self.grade if not condition.grader.call)

    def total_of(self, partition: Partition) -> Partition | None:
        """The partition whose replies have the scores of this one; null: it is of no criterion."""
        total = self.grade_by_id[partition.grade].total_id
        return Partition((partition.generate, total)) if total else None

    def versions(self, partition: Partition) -> tuple[str | None, ...] | None:
        """What gradings of a partition may have as `scorer_version`; null where unknown."""
        condition = self.grade_by_id.get(partition.grade)
        return condition.grader.versions if condition else None

    @property
    def programs(self) -> list[Program]:
        """The code of others that grades, each once."""
        graders = (condition.grader for condition in self.grade)
        found = (one.program for grader in graders for one in (grader, grader.after) if one)
        return [*{program.to_json(): program for program in found if program}.values()]

    @property
    def grading_models(self) -> dict[str, str]:
        """The models that its graders call, and the YAML path that names each first."""
        found: dict[str, str] = {}
        for condition in self.grade:
            if call := condition.grader.call:
                found.setdefault(call.model, call.where)
        return found

    @property
    def writing_models(self) -> dict[str, str]:
        """The models that write rubrics, and the YAML path that names each first."""
        found: dict[str, str] = {}
        for condition in self.written:
            found.setdefault(condition.model, condition.where)
        return found

    @property
    def rubrics(self) -> list[Template]:
        """The templates that its graders fill in, once for each condition, and those of writers."""
        found = [one for condition in self.grade if (one := condition.grader.template)]
        return [*found, *(condition.template for condition in self.written)]

    @cached_property
    def labels(self) -> dict[str, str]:
        """{id: label} of all conditions."""
        conditions = (*self.generate, *self.written, *self.grade)
        return {condition.id: condition.label for condition in conditions}

    def labels_of(self, partition: Iterable[str]) -> tuple[str, ...]:
        """The label of each condition of a partition; the id of one that is not in the design."""
        return tuple(self.labels.get(id, id) for id in partition)

    def label_of(self, partition: Iterable[str]) -> str:
        """What a partition is called."""
        return pair_label(self.labels_of(partition))

    def columns_of(self, generate_id: str, grade_id: str) -> dict[str, str | None]:
        """What all cells of a pair of conditions share, under the names of gradings_long."""
        generate, grade = self.generate_by_id[generate_id], self.grade_by_id[grade_id]
        return {
            "model": generate.model,
            "prompt_name": generate.prompt.name,
            "prompt_hash": generate.prompt.hash,
            "model_config_name": generate.model_config_name,
            "gen_condition_id": generate.id,
            **grade.columns,
        }
