"""What a run of a study did, and how the study stands now."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from itemeval_assets.core.design.partitions import GENERATE, STAGES, Partition
from itemeval_assets.core.design.selection import Selection
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.money.losses import Loss
from itemeval_assets.core.records.failures import ErrorCount, FailedCheck, in_words
from itemeval_assets.core.text.labels import labels_in
from itemeval_assets.stages.export import ExportResult
from itemeval_assets.stages.figures.scores.records import StudyScores
from itemeval_assets.stages.views.errors import scorer_failures
from itemeval_assets.stages.views.status import PartitionStatus, StudyStatus
from itemeval_assets.storage.study.store import ResultsStore

# So large a share of replies without a score is no accident.
_MANY_UNPARSED = 0.05


class Unparsed(NamedTuple):
    """A grader, and how many of its replies could not be parsed.

    `why`: of code of others, what it says most often; null for other graders.
    """

    graded_by: str
    unparsed: int
    replies: int
    why: str | None = None


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """What a run did, and how the study stands now.

    `calls` and `usd` are those of this run's ledger, `cached` of the calls were answered by
    the response cache, free; `unpriced` names models whose usd is not known, `unmetered` those that
    answered without a usage that can be, and cost more than the ledger says; `held_back` calls were
    not made, because others cost more than could be foreseen; `failed_checks` are those
    of partitions. `errored` counts cells of what was asked for that carry an error now,
    `errors` their most frequent texts; `unparsed`: the graders of which more than 5 % of the
    replies could not be parsed; `missing` counts those that are not there, of the last stage
    that was asked for. `accepted` losses were recorded. `notes` say what inspect_ai went on
    without, why errors ended a run with `precision`, and of a gate that did not pass. `exit_code`
    is 0, or that of the command, and `reason` says why. `changed_at`: when solutions or gradings
    last changed, UTC; null before the first. `scores`: what came of it; null where nothing is
    known.
    """

    study: str
    run_ids: list[str] = field(default_factory=list)
    calls: int = 0
    cached: int = 0
    usd: float = 0.0
    unpriced: list[str] = field(default_factory=list)
    recovered: int = 0
    held_back: int = 0
    failed_checks: list[FailedCheck] = field(default_factory=list)
    errored: int = 0
    errors: list[ErrorCount] = field(default_factory=list)
    unparsed: list[Unparsed] = field(default_factory=list)
    missing: int = 0
    exit_code: int = 0
    reason: str | None = None
    status: StudyStatus
    export: ExportResult
    unmetered: list[str] = field(default_factory=list)
    accepted: list[Loss] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    changed_at: str | None = None
    scores: StudyScores | None = None


def asked_for(status: StudyStatus, selection: Selection) -> list[PartitionStatus]:
    """How the partitions stand that were asked for."""
    wanted = set(selection.partitions)
    return [part for part in status.parts if part.partition in wanted]


def often_unparsed(
    status: StudyStatus, why: Callable[[list[Partition]], str | None] = lambda _: None
) -> list[Unparsed]:
    """The graders of the study of which many replies could not be parsed, in their order.

    `why`: what is said of some partitions of a grader.
    """
    found: dict[str, list[PartitionStatus]] = {}
    for part in status.grade:
        found.setdefault(labels_in(part.label, part.partition)[1], []).append(part)
    told = []
    for graded_by, parts in found.items():
        unparsed = sum(part.unparsed for part in parts)
        replies = unparsed + sum(part.done for part in parts)
        if unparsed > _MANY_UNPARSED * replies:
            said = why([part.partition for part in parts if part.unparsed])
            told.append(Unparsed(graded_by, unparsed, replies, said))
    return told


def told_most_often(study: Study, store: ResultsStore, partitions: list[Partition]) -> str | None:
    """What code of others says of most of its failures in these partitions of one grader.

    It begins with its place in the YAML.
    """
    said = scorer_failures(study, store, partitions)
    if not said:
        return None
    program = study.design.grade_by_id[partitions[0].grade].grader.program
    assert program
    return f"{program.where}: {said[0].error}"


def ending(held_back: int, errored: int, errors: list[ErrorCount]) -> tuple[int, str | None]:
    """The exit code of a run, and why it is not 0."""
    if held_back:
        why = (
            f"{held_back} calls were held back: answers without max_tokens cost more than the gate "
            "allowed for, or this machine could not reach its bucket; run again to continue"
        )
        return 3, f"{why}.\n{in_words(errored, errors)}" if errored else why
    return (5, in_words(errored, errors)) if errored else (0, None)


def missing(study: Study, parts: Iterable[PartitionStatus]) -> int:
    """The cells of the last stage that was asked for which are not there, and that a run may make.

    Those whose solution errored are told of as errored, where solutions were asked for, too.
    """
    parts = list(parts)
    if study.config.benchmark.from_logs:
        return sum(part.own("missing") for part in parts)
    stages = {part.partition.stage for part in parts}
    last = max(stages, key=STAGES.index, default=GENERATE)
    solved = {part.partition for part in parts if part.partition.stage is GENERATE}
    return sum(
        part.missing
        + (0 if part.partition.solutions in solved else part.without_solution.get("errored", 0))
        for part in parts
        if part.partition.stage is last and not part.by_people
    )
