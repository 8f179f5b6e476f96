"""Commands that help to decide: what certainty costs, is it good enough. None calls a model."""

import re
from pathlib import Path
from typing import Annotated

import typer

from . import late
from .options import AsJson, Config, Grading, Output, PolicyOption, with_groups

app = typer.Typer()

_AMOUNT = re.compile(r"\s*([0-9.]+(?:[eE][-+]?\d+)?)\s*(pts?|points?|pp)?\s*")


def _amount_of(text: str) -> float:
    """A difference of two scores: `0.02`, or `2pt`, hundredths of a scale from 0 to 1."""
    found = _AMOUNT.fullmatch(text)
    try:
        number = float(found[1]) if found else None
    except ValueError:
        number = None
    if found is None or number is None:
        raise typer.BadParameter(f"{text!r} is no difference: give 0.02, or 2pt")
    return number / 100 if found[2] else number


@app.command()
@with_groups
def plan(
    config: Config,
    a: Annotated[
        str | None,
        typer.Argument(help="a condition; default: all pairs of conditions", show_default=False),
    ] = None,
    b: Annotated[
        str | None, typer.Argument(help="what it is compared with", show_default=False)
    ] = None,
    detect: Annotated[
        str | None,
        typer.Option(help="the cheapest design that finds this difference: 0.02, or 2pt"),
    ] = None,
    max_usd: Annotated[
        float | None, typer.Option(help="the sharpest design that so many USD buy")
    ] = None,
    power: Annotated[
        float, typer.Option(help="the share of studies that find such a difference")
    ] = 0.8,
    pilot: Annotated[
        int | None, typer.Option(help="what to run first, of so many items, and its cost")
    ] = None,
    omega2: Annotated[
        float | None, typer.Option(help="state the variance of a difference over items")
    ] = None,
    sigma2: Annotated[
        float | None, typer.Option(help="state that of the answers to one item")
    ] = None,
    judge2: Annotated[
        float | None, typer.Option(help="state that of a judge's repeats on one answer")
    ] = None,
    *,
    grading: Grading,
    output: Output,
) -> None:
    """Show what certainty costs: designs, the smallest difference that each finds, and USD."""
    found = late.figures.plan(
        config,
        a,
        b,
        detect=None if detect is None else _amount_of(detect),
        max_usd=max_usd,
        power=power,
        pilot=pilot,
        omega2=omega2,
        sigma2=sigma2,
        judge2=judge2,
        **grading.words,
    )
    output.show(config, found, late.figure_report.plan)


@app.command()
def gate(
    config: Config,
    against: Annotated[
        str | None,
        typer.Option(
            help="a release, condition, model, prompt or config; in place of gate.against"
        ),
    ] = None,
    candidate: Annotated[
        str | None, typer.Option(help="what may be worse; in place of gate.candidate")
    ] = None,
    margin: Annotated[
        str | None, typer.Option(help="how much worse is too bad: 0.02, or 2pt")
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(help="a grader or scorer that must pass; in place of gate.metrics"),
    ] = None,
    policy: PolicyOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="also write it to this file: .md for a pull request, .xml as JUnit; replaces only"
            " its own files"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a candidate is worse: PASS (exit code 0), FAIL (1) or INCONCLUSIVE (6)."""
    if out is not None:
        late.figure_report.require_gate_file(out, late.opening.as_study(config).name)
        late.opening.require_free(config, out)
    found = late.figures.gate(
        config,
        against=against,
        candidate=candidate,
        margin=None if margin is None else _amount_of(margin),
        metrics=metric,
        policy=policy,
    )
    if out is not None:
        late.figure_report.write_gate(found, out)
    late.report.print_result(
        as_json, found, lambda found: late.document.print_document(late.figure_report.gate(found))
    )
    if out is not None and not as_json:
        late.report.written(out)
    if found.exit_code:
        raise typer.Exit(found.exit_code)
