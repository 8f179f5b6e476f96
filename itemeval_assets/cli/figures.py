"""Commands that show figures with their certainty. None of them calls a model."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from . import late
from .options import AsJson, Config, Grading, Output, PolicyOption, Selected, with_groups

app = typer.Typer()

PassesOption = Annotated[
    float | None,
    typer.Option(help="the score from which on one passes; default: the end of the scale"),
]


@app.command()
@with_groups
def scores(
    config: Config,
    policy: PolicyOption = None,
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
    *,
    selected: Selected,
    output: Output,
) -> None:
    """Show the mean score of each condition, with its interval and what it leaves out."""
    if output.out is not None:
        # On the terminal a sentence says so; a file would be read as a result.
        late.opening.graded_cells(config, policy)
    found = late.figures.scores(
        config,
        by=by,
        policy=policy,
        pass_at=pass_at,
        majority_at=majority_at,
        passes=passes,
        panel=panel,
        **selected.words,
    )
    output.show(config, found, late.figure_report.scores)


@app.command()
@with_groups
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
    *,
    grading: Grading,
    output: Output,
) -> None:
    """Say which is better, by how much and how sure, on the items that both have scores of."""
    if release is not None:
        if a or by or of != "condition":
            raise typer.BadParameter(
                "--release compares all conditions: leave names, --of, --by out"
            )
        found = late.figures.compare_releases(config, release, other, **grading.words)
    elif other is not None:
        raise typer.BadParameter("--with needs --release")
    elif a is None:
        if by is not None:
            raise typer.BadParameter("--by needs the names of the two that are compared")
        found = late.figures.comparisons(config, facet=of, **grading.words)
    elif b is None and not config.exists():
        raise typer.BadParameter(
            f"CONFIG, the study's YAML file, comes first, and '{config}' is no file: compare "
            f"CONFIG {config} {a}"
        )
    elif b is None:
        raise typer.BadParameter(f"name what to compare {a!r} with, or nothing for all pairs")
    elif of != "condition":
        raise typer.BadParameter("--of is for all pairs: leave it out, or leave the names out")
    else:
        found = late.figures.compare(config, a, b, by=by, **grading.words)
    output.show(config, found, late.figure_report.comparisons)


@app.command()
@with_groups
def reliability(
    config: Config,
    crossed: Annotated[
        bool, typer.Option("--crossed", help="take the chosen graders together, as a facet")
    ] = False,
    random: Annotated[
        list[str] | None,
        typer.Option(help="take prompt, config or grader for a sample of others, not for all"),
    ] = None,
    *,
    grading: Grading,
    output: Output,
) -> None:
    """Show where the noise comes from, and what more items or replications would reach."""
    if "grader" in (random or []) and not crossed:
        raise typer.BadParameter("--random grader needs --crossed: else each grader is by itself")
    found = late.figures.reliability(config, crossed=crossed, random=random or [], **grading.words)
    output.show(config, found, late.figure_report.reliability)


@app.command()
@with_groups
def agreement(
    config: Config,
    judge: Annotated[
        list[str] | None, typer.Option(help="show the card of this judge, and nothing else")
    ] = None,
    *,
    grading: Grading,
    output: Output,
) -> None:
    """Show how judges agree, how severe they are, and whether they prefer their own family."""
    if judge:
        cards = late.figures.judge_cards(config, judge, **grading.words)
        output.show(config, cards, late.figure_report.judges)
    else:
        found = late.figures.agreement(config, **grading.words)
        output.show(config, found, late.figure_report.agreement)


@app.command()
@with_groups
def drift(config: Config, grading: Grading, output: Output) -> None:
    """Show whether models or judges changed since the study was asked first."""
    found = late.figures.drift(config, **grading.words)
    output.show(config, found, late.figure_report.drift)


@app.command()
@with_groups
def items(config: Config, grading: Grading, output: Output) -> None:
    """Show which items are odd, and why."""
    found = late.figures.items(config, **grading.words)
    output.show(config, found, late.figure_report.items, late.figure_report.odd_items)


@app.command()
@with_groups
def show(
    config: Config,
    item: Annotated[
        list[str], typer.Argument(help="the id of an item; several are possible", metavar="ITEM...")
    ],
    policy: PolicyOption = None,
    *,
    selected: Selected,
    output: Output,
) -> None:
    """Show one item: its question, the answers of each condition, their scores and logs."""
    found = late.figures.item_answers(config, item, policy=policy, **selected.words)
    output.show(config, found, late.figure_report.item_answers)


@app.command()
@with_groups
def irt(
    config: Config,
    model: Annotated[
        Literal["1pl", "2pl"],
        typer.Option(help="1pl: items differ in difficulty; 2pl: in discrimination, too"),
    ] = "2pl",
    passes: PassesOption = None,
    *,
    grading: Grading,
    output: Output,
) -> None:
    """Show the difficulty of items and the ability of conditions on one scale."""
    found = late.figures.irt(config, model=model, passes=passes, **grading.words)
    output.show(config, found, late.figure_report.irt)


@app.command()
@with_groups
def responses(
    config: Config,
    grader: Annotated[
        str | None,
        typer.Option(help="the one whose scores they are: label, slug, id, grader or scorer"),
    ] = None,
    persons: Annotated[
        Literal["conditions", "replications"],
        typer.Option(help="the rows: conditions, or each replication of a condition"),
    ] = "conditions",
    passes: Annotated[
        float | None, typer.Option(help="1 from this score on, else 0; default: the scores")
    ] = None,
    states: Annotated[
        bool, typer.Option("--states", help="the states of all cells in place of the scores")
    ] = False,
    policy: PolicyOption = None,
    *,
    output: Output,
) -> None:
    """Show what each condition scored on how many items; with --out, the matrix of all scores."""
    found = late.figures.response_table(
        config, grader, persons=persons, states=states, passes=passes, policy=policy
    )
    output.show(config, found, late.figure_report.response_matrix)


@app.command()
def report(
    config: Config,
    out: Annotated[
        Path | None,
        typer.Option(
            help="write this file, such as report.html; default: the study's export/; "
            "replaces only pages of this study"
        ),
    ] = None,
    policy: PolicyOption = None,
    show_it: Annotated[bool, typer.Option("--open", help="open it in a web browser")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the study as one web page: scores, comparisons, hardest items, costs, origin."""
    written = late.figures.write_report(config, out, policy=policy)
    late.report.print_result(as_json, {"report": written}, lambda _: late.report.written(written))
    if show_it:
        late.browser.open_page(written)


@app.command()
@with_groups
def conditions(config: Config, output: Output) -> None:
    """List the conditions of the design with all their parts."""
    output.show(config, late.figures.condition_list(config), late.figure_report.conditions)
