"""What a run would call, and what keeps it from any call: known before the first one."""

import os
from dataclasses import replace

from itemeval_assets.core.design.items.targets import require_gradable
from itemeval_assets.core.design.options import RunOptions
from itemeval_assets.core.design.partitions import GRADE
from itemeval_assets.core.design.selection import Selection
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ModelError
from itemeval_assets.core.money.budget import Standing, agreed_usd, require_budget
from itemeval_assets.core.money.providers import require_addresses, words_of_mocks
from itemeval_assets.stages import items
from itemeval_assets.stages.calls.doubts import doubts
from itemeval_assets.stages.calls.stage_run import Scope
from itemeval_assets.stages.projection.estimate import (
    StudyEstimate,
    all_tranches,
    estimate,
    words_of_whole,
)
from itemeval_assets.storage.study.inputs import prices_if_needed
from itemeval_assets.storage.study.store import ResultsStore


def remarks_on(found: StudyEstimate) -> list[str]:
    """What whoever is asked for consent must know of the calls."""
    called = [part.model for part in found.parts if part.remaining.usd]
    return [*found.warnings, *words_of_mocks(called)]


def resolution_of(
    study: Study, store: ResultsStore, options: RunOptions, found: StudyEstimate
) -> list[str]:
    """What the run can tell apart, where consent will be asked for and stored rows tell it."""
    if found.remaining.usd <= agreed_usd(options.consent_usd, study.config.budget):
        return []
    from itemeval_assets.stages.figures.plans.resolution import resolution

    return resolution(study, store, options.policy, found)


def require_allowed(study: Study, options: RunOptions, found: StudyEstimate) -> None:
    """Raise what the gate raises: BudgetExceeded, ConsentMissing, ConfigError. Reserves nothing."""
    require_addresses(found.remaining.unpriced, os.environ)
    standing = Standing(found.spent_usd, found.reserved_usd)
    budget, consent = study.config.budget, options.consent_usd
    require_budget(found.remaining, budget, standing, consent, remarks_on(found))


def foreseen(
    study: Study, store: ResultsStore, selection: Selection, options: RunOptions
) -> StudyEstimate:
    """What a run would still call, and what that costs at most.

    Its warnings are what may be wrong in items, templates and local models; none where nothing is
    to be called. Raises ModelError for a model that is out of reach, and DatasetError for data that
    cannot be read, or where no answer could be graded.
    """
    scope = Scope(
        study=study,
        store=store,
        prices=prices_if_needed(study),
        items=items.known(study, store).table,
        options=options,
    )
    found = estimate(scope, selection, in_full=False)
    if found.unreachable:
        raise ModelError("\n".join(found.unreachable))
    if found.remaining.calls:
        require_gradable(found.ungradable, study.design.graders_of(selection.of(GRADE)))
    if not found.remaining.calls:
        return replace(found, warnings=[])
    warnings = [*doubts(scope, found.ungradable), *scope.models.doubts.values()]
    needs_consent = found.remaining.usd > agreed_usd(options.consent_usd, study.config.budget)
    if needs_consent and (whole := all_tranches(scope, selection)):
        warnings += words_of_whole(found, whole)
    return replace(found, warnings=warnings)
