"""Studies that cannot be loaded: each is seen in a group of its own, with what is wrong.

One broken file must not take the studies beside it out of the UI. Commands that validate the
definitions (`dg check defs`) get an error, as usual.
"""

import logging
import os
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from itemeval_assets.core.errors import ItemevalAssetsError
from itemeval_assets.dagster_io.failures import in_event
from itemeval_assets.settings import Settings

from .automation.messages import broken_study_text
from .automation.notifications import webhook_of

CHECK = "loads"
_LOG = logging.getLogger("dagster.itemeval_assets")


@dataclass(frozen=True)
class BrokenStudy:
    """A study that cannot be loaded. `again` says what is wrong with it by now, if anything."""

    path: Path
    problem: str
    again: Callable[[], str | None]


def is_validation() -> bool:
    """Whether a command loads the definitions only to say whether they can be loaded."""
    return os.environ.get("DAGSTER_IS_DEFS_VALIDATION_CLI") == "1"


@contextmanager
def problem_in(path: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Tell what goes wrong in the block, whatever it is: no study may take down the others."""
    try:
        yield
    except ItemevalAssetsError as error:
        tell(in_event(str(error)))
    except Exception as error:
        tell(in_event(f"{path}: {type(error).__name__}: {error}"))


def group_of(path: Path, taken: Collection[str]) -> str:
    """The group of a broken study: by its name where the file still says one, else by the file."""
    try:
        found = re.search(r"^study:\s*([\w-]+)", path.read_text("utf-8", "replace"), re.M)
    except OSError:
        found = None
    by_file = path.parent.name if path.stem == "study" else path.stem
    name = re.sub(r"\W", "_", found[1] if found else by_file, flags=re.ASCII) or "study"
    more = (f"_{number}" for number in range(2, len(taken) + 3))
    groups = (f"{name}_broken{ending}" for ending in ("", *more))
    return next(group for group in groups if group not in taken)


def broken_definitions(broken: BrokenStudy, group: str, settings: Settings) -> dg.Definitions:
    """An asset that stands for the study, its failing check, and the sensor that reports it.

    The sensor tells the webhook, too, where there is one.
    """
    _LOG.error(f"{broken.path}: this study cannot be loaded\n{broken.problem}")
    key = dg.AssetKey([group, "study"])
    asset = dg.AssetSpec(
        key,
        group_name=group,
        kinds={"yaml"},
        owners=settings.owner_list(),
        description=f"This study cannot be loaded:\n\n{_fenced(broken.problem)}\n\nCorrect it, and "
        "reload the code location: then its assets are back. Stored results are not changed.",
        metadata={
            "file": dg.MetadataValue.path(str(broken.path)),
            "problem": dg.MetadataValue.md(_fenced(broken.problem)),
        },
    )
    return dg.Definitions(
        assets=[asset],
        asset_checks=[_check(broken, key)],
        sensors=[_sensor(broken, key, group, settings)],
    )


def _check(broken: BrokenStudy, key: dg.AssetKey) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=key, name=CHECK, description="The study can be loaded.")
    def check() -> dg.AssetCheckResult:
        problem = broken.again()
        return dg.AssetCheckResult(
            passed=problem is None,
            description=problem or "The study can be loaded: reload the code location.",
        )

    return check


def _sensor(
    broken: BrokenStudy, key: dg.AssetKey, group: str, settings: Settings
) -> dg.SensorDefinition:
    webhook = webhook_of(settings)

    @dg.sensor(
        name=group,
        description="Reports once that this study cannot be loaded, and why.",
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=30,
    )
    def report(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        if context.cursor == broken.problem:
            return dg.SensorResult(skip_reason="it has been reported")
        failed = dg.AssetCheckEvaluation(
            asset_key=key,
            check_name=CHECK,
            passed=False,
            severity=dg.AssetCheckSeverity.ERROR,
            description=broken.problem,
            metadata={"file": dg.MetadataValue.path(str(broken.path))},
        )
        if webhook:
            where, hide = str(broken.path), webhook.without_secrets
            text = broken_study_text(group, where, broken.problem, settings.ui_url, hide)
            webhook.tell(text, context.log)
        return dg.SensorResult(asset_events=[failed], cursor=broken.problem)

    return report


def _fenced(text: str) -> str:
    return f"````\n{text}\n````"
