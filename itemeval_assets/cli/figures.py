"""Commands that show figures with their certainty. None of them calls a model."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from . import late
from .options import AsJson, ConditionOption, Config, GraderOption, PolicyOption, RubricOption

if TYPE_CHECKING:
    from itemeval_assets.report.render.document import Document

__all__ = ["app"]

app = typer.Typer()

PassesOption = Annotated[
    float | None,
    typer.Option(help="the score from which on one passes; default: the end of the scale"),
]
OutOption = Annotated[
    Path | None,
    typer.Option(help="also write it to this file: .csv the rows of all graders, .html all"),
]


@app.command()
def scores(
    config: Config,
    by: Annotated[
        str | None, typer.Option(help="split by a metadata column of the items, or by dataset_id")
    ] = None,
    pass_at: Annotated[
        int | None,
        typer.Option(min=1, help="the share of items that one of so many replications passes"),
    ] = None,
    majority_at: Annotated[
        int | None,
        typer.Option(min=1, help="the share of items that most of so many replications pass"),
    ] = None,
    passes: PassesOption = None,
    panel: Annotated[
        bool, typer.Option("--panel", help="the mean over all judges of a rubric")
    ] = False,
    condition: ConditionOption = None,
    grader: GraderOption = None,
    rubric: RubricOption = None,
    policy: PolicyOption = None,
    out: OutOption = None,
    as_json: AsJson = False,
) -> None:
    """Show the mean score of each condition, with its interval and what it leaves out."""
    _require(out)
    found = late.figures.scores(
        config,
        by=by,
        conditions=condition,
        graders=grader,
        rubrics=rubric,
        policy=policy,
        pass_at=pass_at,
        majority_at=majority_at,
        passes=passes,
        panel=panel,
    )
    _show(as_json, out, found, late.figure_report.scores)


@app.command()
def compare(
    config: Config,
    a: Annotated[
        str | None,
        typer.Argument(
            help="a condition, model, prompt, config or grader; default: all pairs",
            show_default=False,
        ),
    ] = None,
    b: Annotated[
        str | None, typer.Argument(help="what to compare it with", show_default=False)
    ] = None,
    of: Annotated[
        Literal["condition", "model", "prompt", "config", "grader"],
        typer.Option(help="of all pairs: compare these"),
    ] = "condition",
    by: Annotated[
        str | None, typer.Option(help="does the difference depend on this column of the items?")
    ] = None,
    release: Annotated[
        str | None, typer.Option(help="compare this release of the study, such as v1.0.0")
    ] = None,
    other: Annotated[
        str | None, typer.Option("--with", help="with this one; default: the study as it stands")
    ] = None,
    grader: GraderOption = None,
    rubric: RubricOption = None,
    policy: PolicyOption = None,
    out: OutOption = None,
    as_json: AsJson = False,
) -> None:
    """Say which is better, by how much and how sure, on the items that both answered."""
    _require(out)
    chosen: dict[str, Any] = {"graders": grader, "rubrics": rubric, "policy": policy}
    if release is not None:
        if a or by or of != "condition":
            raise typer.BadParameter(
                "--release compares all conditions: leave names, --of, --by out"
            )
        found = late.figures.compare_releases(config, release, other, **chosen)
    elif other is not None:
        raise typer.BadParameter("--with needs --release")
    elif a is None:
        if by is not None:
            raise typer.BadParameter("--by needs the names of the two that are compared")
        found = late.figures.comparisons(config, facet=of, **chosen)
    elif b is None:
        raise typer.BadParameter(f"name what to compare {a!r} with, or nothing for all pairs")
    elif of != "condition":
        raise typer.BadParameter("--of is for all pairs: leave it out, or leave the names out")
    else:
        found = late.figures.compare(config, a, b, by=by, **chosen)
    _show(as_json, out, found, late.figure_report.comparisons)


@app.command()
def reliability(
    config: Config,
    grader: GraderOption = None,
    rubric: RubricOption = None,
    crossed: Annotated[
        bool, typer.Option("--crossed", help="take the chosen graders together, as a facet")
    ] = False,
    random: Annotated[
        list[str] | None,
        typer.Option(help="take prompt, config or grader for a sample of others, not for all"),
    ] = None,
    policy: PolicyOption = None,
    out: OutOption = None,
    as_json: AsJson = False,
) -> None:
    """Show where the noise comes from, and what more items or replications would reach."""
    _require(out)
    if "grader" in (random or []) and not crossed:
        raise typer.BadParameter("--random grader needs --crossed: else each grader is by itself")
    found = late.figures.reliability(
        config,
        graders=grader,
        rubrics=rubric,
        crossed=crossed,
        random=random or [],
        policy=policy,
    )
    _show(as_json, out, found, late.figure_report.reliability)


@app.command()
def agreement(
    config: Config,
    judge: Annotated[
        list[str] | None, typer.Option(help="show the card of this judge, and nothing else")
    ] = None,
    grader: GraderOption = None,
    rubric: RubricOption = None,
    policy: PolicyOption = None,
    out: OutOption = None,
    as_json: AsJson = False,
) -> None:
    """Show how judges agree, how severe they are, and whether they prefer their own family."""
    _require(out)
    chosen: dict[str, Any] = {"graders": grader, "rubrics": rubric, "policy": policy}
    if judge:
        cards = late.figures.judge_cards(config, judge, **chosen)
        _show(as_json, out, cards, late.figure_report.judges)
    else:
        found = late.figures.agreement(config, **chosen)
        _show(as_json, out, found, late.figure_report.agreement)


@app.command()
def items(
    config: Config,
    item: Annotated[
        list[str] | None,
        typer.Option(help="show the answers to this item, their scores and logs, and nothing else"),
    ] = None,
    grader: GraderOption = None,
    rubric: RubricOption = None,
    policy: PolicyOption = None,
    out: OutOption = None,
    as_json: AsJson = False,
) -> None:
    """Show which items are odd, and why."""
    _require(out)
    chosen: dict[str, Any] = {"graders": grader, "rubrics": rubric, "policy": policy}
    if item:
        answers = late.figures.item_answers(config, item, **chosen)
        _show(as_json, out, answers, late.figure_report.item_answers)
    else:
        found = late.figures.items(config, **chosen)
        _show(as_json, out, found, late.figure_report.items)


@app.command()
def irt(
    config: Config,
    model: Annotated[
        Literal["1pl", "2pl"],
        typer.Option(help="1pl: items differ in difficulty; 2pl: in discrimination, too"),
    ] = "2pl",
    passes: PassesOption = None,
    grader: GraderOption = None,
    rubric: RubricOption = None,
    policy: PolicyOption = None,
    out: OutOption = None,
    as_json: AsJson = False,
) -> None:
    """Show the difficulty of items and the ability of conditions on one scale."""
    _require(out)
    found = late.figures.irt(
        config, model=model, passes=passes, graders=grader, rubrics=rubric, policy=policy
    )
    _show(as_json, out, found, late.figure_report.irt)


@app.command()
def conditions(config: Config, out: OutOption = None, as_json: AsJson = False) -> None:
    """List the conditions of the design with all their parts."""
    _require(out)
    _show(as_json, out, late.figures.condition_list(config), late.figure_report.conditions)


def _require(out: Path | None) -> None:
    """A file that cannot be written is told before anything is estimated."""
    if out is not None:
        late.document.require_format(out)


def _show(
    as_json: bool, out: Path | None, found: Any, document: "Callable[[Any], Document]"
) -> None:
    """Print a result, and write it to a file where one is named."""
    if out is not None:
        late.document.write_document(document(found), out)
    late.report.print_result(
        as_json, found, lambda found: late.document.print_document(document(found))
    )
    if out is not None and not as_json:
        late.report.written(out)
