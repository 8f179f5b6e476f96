"""Arguments and options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

from itemeval_assets.core.config.policies import Policy

__all__ = ["AsJson", "ConditionOption", "Config", "GraderOption", "PolicyOption", "RubricOption"]

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
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON document and nothing else")]
