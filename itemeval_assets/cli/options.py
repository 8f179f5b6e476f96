"""Options that several commands have. Each is declared once; a command names their group."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

from itemeval_assets.core.config.policies import Policy

from . import late

if TYPE_CHECKING:
    from itemeval_assets.report.render.document import Document

Config = Annotated[Path, typer.Argument(help="the study's YAML file", show_default=False)]
PolicyOption = Annotated[Policy | None, typer.Option(help="use this policy, not budget.policy")]
ConditionOption = Annotated[
    list[str] | None,
    typer.Option(help="choose generate conditions by label, slug, id, start of an id, or model"),
]
GraderOption = Annotated[
    list[str] | None,
    typer.Option(help="choose grade conditions by label, slug, id, grader or scorer"),
]
RubricOption = Annotated[
    list[str] | None,
    typer.Option(help="choose grade conditions of judges by label, slug, id or rubric"),
]
OnlyOption = Annotated[
    Literal["solutions", "item_rubrics", "gradings"] | None, typer.Option(help="choose one stage")
]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON document and nothing else")]


@dataclass(frozen=True, kw_only=True)
class Selected:
    """The conditions that a command is about."""

    condition: ConditionOption = None
    grader: GraderOption = None
    rubric: RubricOption = None

    @property
    def words(self) -> dict[str, Any]:
        return {"conditions": self.condition, "graders": self.grader, "rubrics": self.rubric}


@dataclass(frozen=True, kw_only=True)
class Grading:
    """The grade conditions that a figure is about, and the policy whose cells it has."""

    grader: GraderOption = None
    rubric: RubricOption = None
    policy: PolicyOption = None

    @property
    def words(self) -> dict[str, Any]:
        return {"graders": self.grader, "rubrics": self.rubric, "policy": self.policy}


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run, or an estimate of one, is to do."""

    only: OnlyOption = None
    condition: ConditionOption = None
    grader: GraderOption = None
    rubric: RubricOption = None
    errored: Annotated[
        bool, typer.Option("--errored", help="choose only partitions with errored cells")
    ] = False
    force: Annotated[bool, typer.Option("--force", help="repeat finished calls")] = False
    accept_changes: Annotated[
        bool,
        typer.Option(
            "--accept-changes",
            help="make answers and gradings of items again that changed since; keep all others",
        ),
    ] = False
    policy: PolicyOption = None
    wave: Annotated[
        str | None,
        typer.Option(help="ask all models again, under this name of a later time: 2026-12"),
    ] = None
    rejudge: Annotated[
        str | None, typer.Option(help="have judges grade the first answers again, under this name")
    ] = None
    anchors: Annotated[
        int | None, typer.Option(help="of --wave or --rejudge: so many items, drawn at random")
    ] = None

    @property
    def words(self) -> dict[str, Any]:
        selected = Selected(condition=self.condition, grader=self.grader, rubric=self.rubric)
        return {
            **selected.words,
            "only": self.only,
            "errored": self.errored,
            "force": self.force,
            "accept_changes": self.accept_changes,
            "policy": self.policy,
            "wave": self.wave,
            "rejudge": self.rejudge,
            "anchors": self.anchors,
        }


@dataclass(frozen=True, kw_only=True)
class Consent:
    """What the calls of a command may cost. An amount is a ceiling, also where `yes` is said."""

    yes: Annotated[
        bool,
        typer.Option("--yes", help="allow any cost below budget.max_usd, and below --max-usd"),
    ] = False
    max_usd: Annotated[
        float | None,
        typer.Option(help="allow a cost of up to so many USD, and no more with --yes", min=0),
    ] = None

    @property
    def usd(self) -> float | None:
        any_cost = late.budget.WHATEVER_IT_COSTS if self.yes else None
        return any_cost if self.max_usd is None else self.max_usd


@dataclass(frozen=True, kw_only=True)
class Output:
    """Where a figure goes: to the terminal, as JSON, and to a file."""

    out: Annotated[
        Path | None,
        typer.Option(
            help="also write it to this file: .csv the rows of all graders, .html all; "
            "replaces only its own files"
        ),
    ] = None
    as_json: AsJson = False

    def __post_init__(self) -> None:
        """A file that cannot be written is told before anything is estimated."""
        if self.out is not None:
            late.document.require_format(self.out)

    def show(
        self,
        config: Path,
        found: Any,
        document: "Callable[[Any], Document]",
        brief: "Callable[[Any], Document] | None" = None,
    ) -> None:
        """Print a result, and write it to a file where one is named. `brief`: what is printed."""
        if self.out is not None:
            study = late.opening.as_study(config).name
            late.document.write_document(document(found), self.out, study)
        late.report.print_result(
            self.as_json,
            found,
            lambda found: late.document.print_document((brief or document)(found), self.out),
        )
        if self.out is not None and not self.as_json:
            late.report.written(self.out)


def with_groups(function: Callable[..., None]) -> Callable[..., None]:
    """The command of a function: a parameter that is a group is spelled as the group's options."""
    hints = get_type_hints(function, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}
    parameters = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name in groups:
            parameters += _options(groups[parameter.name])
        else:
            parameters.append(_keyword(parameter.name, parameter.default, hints[parameter.name]))

    def command(**given: Any) -> None:
        made = {
            name: group(**{field.name: given.pop(field.name) for field in fields(group)})
            for name, group in groups.items()
        }
        if (output := made.get("output")) and output.out is not None:
            late.opening.require_free(given["config"], output.out)
        function(**given, **made)

    command.__name__, command.__doc__ = function.__name__, function.__doc__
    command.__annotations__ = {one.name: one.annotation for one in parameters}
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return command


def _options(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [_keyword(one.name, one.default, hints[one.name]) for one in fields(group)]


def _keyword(name: str, default: Any, hint: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)
