"""`itemeval-assets ratings`: sheets for people who rate, and their ratings taken in."""

from pathlib import Path
from typing import Annotated

import typer

from . import late
from .options import AsJson, ConditionOption, Config

app = typer.Typer(
    name="ratings",
    help="Write sheets for people who rate, and take their ratings in.",
    no_args_is_help=True,
)

Rater = Annotated[str, typer.Option(help="the name of the person", show_default=False)]
Count = Annotated[int, typer.Option("--n", help="the number of answers", min=1)]
Seed = Annotated[int, typer.Option(help="which answers are drawn")]
Rubric = Annotated[
    str | None, typer.Option(help="which rubric the rater is shown, if there are several")
]
Scale = Annotated[
    str | None,
    typer.Option(
        help="the lowest and the highest score, such as 0,10; default: that of the judges"
    ),
]


@app.command()
def sheet(
    config: Config,
    rater: Rater,
    n: Count = 40,
    seed: Seed = 0,
    out: Annotated[
        Path, typer.Option(help="the file to write, which must end with .csv, .xlsx or .html")
    ] = Path("sheet.csv"),
    rubric: Rubric = None,
    scale: Scale = None,
    again: Annotated[
        bool, typer.Option("--again", help="also answers that are rated, or on a sheet already")
    ] = False,
    condition: ConditionOption = None,
    as_json: AsJson = False,
) -> None:
    """Write answers for a person to rate, in random order, without the names of models."""
    found = late.api.ratings_sheet(
        config,
        rater,
        out,
        n=n,
        seed=seed,
        rubric=rubric,
        scale=_ends(scale),
        again=again,
        conditions=condition,
    )
    late.report.print_result(as_json, found, late.report.sheet_written)


@app.command("import")
def import_(
    path: Annotated[
        Path, typer.Argument(metavar="SHEET", help="the filled-in sheet", show_default=False)
    ],
    config: Config,
    rater: Annotated[
        str | None, typer.Option(help="who filled it in; must be whom it was written for")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take in the ratings of a filled-in sheet."""
    found = late.api.import_ratings(path, config, rater=rater, on_note=late.report.remark)
    late.report.print_result(as_json, found, late.report.ratings_taken)


@app.command("next")
def next_(
    config: Config,
    rater: Rater,
    n: Count = 40,
    seed: Seed = 0,
    rubric: Rubric = None,
    scale: Scale = None,
    as_json: AsJson = False,
) -> None:
    """Show by how much more ratings would shrink the intervals."""
    found = late.api.next_ratings(config, rater, n=n, seed=seed, rubric=rubric, scale=_ends(scale))
    late.report.print_result(as_json, found, late.report.next_ratings)


def _ends(scale: str | None) -> tuple[float, float] | None:
    """Two numbers of the command line."""
    if scale is None:
        return None
    try:
        low, high = (float(end) for end in scale.strip("[] ").split(","))
    except ValueError:
        raise typer.BadParameter(
            f"--scale {scale}: give the lowest and the highest score, such as --scale 0,10"
        ) from None
    return low, high
