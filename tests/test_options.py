"""What may be asked of a run is the same for Dagster, the command line and Python."""

import inspect

import typer.main

from itemeval_assets import api
from itemeval_assets.cli.main import app
from itemeval_assets.core.design.options import PlanOptions, RunOptions
from itemeval_assets.core.design.selection import select
from itemeval_assets.dagster_io.config import PlanConfig, RunConfig

# A run with `precision` sets `skip_tried` by itself, from its second tranche on.
# Consent in words of money, for those who pay; recovering is a command of its own.
API_NAMES = {"consent_usd": "max_usd"}
CLI_NAMES = {"condition": "conditions", "grader": "graders", "rubric": "rubrics"}


def keywords(function: object) -> dict[str, object]:
    """The keyword-only parameters of a function, with their defaults."""
    found = inspect.signature(function).parameters  # type: ignore[arg-type]
    return {name: p.default for name, p in found.items() if p.kind is p.KEYWORD_ONLY}


def options_of(command: str) -> dict[str, object]:
    """The options of a command, by the names of Python, with their defaults."""
    group = typer.main.get_command(app)
    found = {str(option.name): option.default for option in group.commands[command].params}  # type: ignore[attr-defined]
    return {CLI_NAMES.get(name, name): default for name, default in found.items()}


def test_dagster_takes_the_options_of_a_plan_and_of_a_run() -> None:
    for config, options in ((PlanConfig, PlanOptions), (RunConfig, RunOptions)):
        fields = config.to_fields_dict()
        assert fields.keys() == options.model_fields.keys()
        for name, declared in options.model_fields.items():
            assert fields[name].default_value == declared.default
            assert fields[name].description == declared.description
    given = RunConfig(force=True, policy="dev", consent_usd=1.5)
    assert given.options() == RunOptions(force=True, policy="dev", consent_usd=1.5)
    assert type(given.options().policy) is str
    assert PlanConfig(policy="dev").options() == PlanOptions(policy="dev")


def test_python_takes_the_options_of_a_run_and_the_words_of_a_selection() -> None:
    words = list(inspect.signature(select).parameters)[1:]
    asked = {
        API_NAMES.get(name, name): field.default
        for name, field in RunOptions.model_fields.items()
        if name not in ("recover_only", "skip_tried")
    }
    times = dict.fromkeys(("wave", "rejudge", "anchors"))
    of_a_run = {**dict.fromkeys(words), **asked, **times, "errored": False, "accept_changes": False}
    assert keywords(api.run) == {**of_a_run, "workers": 1, "on_progress": None}
    assert keywords(api.estimate) == {k: v for k, v in of_a_run.items() if k != "max_usd"}
    assert keywords(api.reset) == dict.fromkeys(words)
    assert keywords(api.cells).keys() == {*words[1:], "policy", "states"}
    assert keywords(api.cells) == keywords(api.count_cells)


def test_the_command_line_takes_what_python_takes() -> None:
    for command, function in (
        ("run", api.run),
        ("estimate", api.estimate),
        ("reset", api.reset),
        ("status", api.status),
        ("preflight", api.preflight),
        ("export", api.export),
        ("release", api.release),
        ("every-eval", api.every_eval),
    ):
        spelled = options_of(command)
        own = {"config", "organization", "as_json", "yes"}
        assert spelled.keys() - own == keywords(function).keys() - {"on_progress"}, command
        for name, default in keywords(function).items():
            assert name == "on_progress" or spelled[name] == default, (command, name)
