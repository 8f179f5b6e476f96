"""What commands call and show, loaded when it is first asked for: `--help` needs none of it."""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from itemeval_assets import api, experiments, figures, project, report
    from itemeval_assets.core.money import budget
    from itemeval_assets.figures import opening
    from itemeval_assets.host import browser
    from itemeval_assets.report import figures as figure_report
    from itemeval_assets.report.render import document
    from itemeval_assets.report.screens import comparison
    from itemeval_assets.report.screens import experiments as experiment_report
    from itemeval_assets.ui import command as ui_command
    from itemeval_assets.ui import viewer

__all__ = [
    "api",
    "browser",
    "budget",
    "comparison",
    "document",
    "experiment_report",
    "experiments",
    "figure_report",
    "figures",
    "opening",
    "project",
    "report",
    "ui_command",
    "viewer",
]

_PLACES = {
    "browser": "host.browser",
    "budget": "core.money.budget",
    "comparison": "report.screens.comparison",
    "document": "report.render.document",
    "experiment_report": "report.screens.experiments",
    "figure_report": "report.figures",
    "opening": "figures.opening",
    "ui_command": "ui.command",
    "viewer": "ui.viewer",
}


def __getattr__(name: str) -> ModuleType:
    return import_module(f"itemeval_assets.{_PLACES.get(name, name)}")
