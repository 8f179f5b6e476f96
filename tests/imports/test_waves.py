"""Waves of an itemeval study come in as waves of ours."""

from pathlib import Path

import pandas as pd
import pytest
from inspect_ai.log import read_eval_log, write_eval_log

import itemeval_assets as ie
from itemeval_assets.core.money.ledger import NOBODY
from itemeval_assets.engine.study_files import load_study
from tests.whole.looking import assert_reconciled

from .conftest import Kept
from .test_import import GRADING, NEW, SOLUTION, fingerprint, plain

REPLICATIONS = 2


def test_a_wave_is_a_wave_here(kept: Kept) -> None:
    source = fingerprint(kept.source)
    kept.edit(waves=["again"])
    found = ie.import_results(kept.source, kept.config)
    assert found.left_out == [] and (found.solutions, found.gradings) == (48, 160)
    for name, key, condition in (
        ("solutions", SOLUTION, "condition_id"),
        ("gradings", GRADING, "gen_condition_id"),
    ):
        assert_same_rows(kept, name, key, condition)
    assert_ledger(kept)
    manifests = (
        {path.name for path in (folder / "manifests").iterdir()}
        for folder in (kept.source, kept.folder / "ours" / "kept")
    )
    assert next(manifests) == next(manifests)
    # Only what failed there is called again: as much of the wave as of the first time.
    foreseen = ie.estimate(kept.config, only="solutions", wave="again").remaining
    assert foreseen.calls == 4 == ie.estimate(kept.config, only="solutions").remaining.calls - 4
    before = fingerprint(kept.folder / "ours")
    assert ie.import_results(kept.source, kept.config).is_nothing
    assert fingerprint(kept.folder / "ours") == before
    assert fingerprint(kept.source) == source
    assert ie.run(kept.config, wave="again").calls == kept.server.count() == 4 + 2 * 2 * 2
    assert_reconciled(kept.config)
    assert not any(part.stale for part in ie.status(kept.config).grade if "wave" in part.label)
    changes = [change for one in ie.drift(kept.config).by_grader for change in one.changes]
    assert changes and all(one.difference.value == 0 for one in changes)


@pytest.mark.long
def test_a_wave_that_is_named_later_comes_in_later(kept: Kept) -> None:
    first = ie.import_results(kept.source, kept.config)
    assert {one.why for one in first.left_out} == {
        "the config lacks them; write `waves: [again]` into it, and import again"
    }
    kept.edit(waves=["again"])
    later = ie.import_results(kept.source, kept.config)
    assert (later.solutions, later.gradings, later.left_out) == (24, 80, [])
    assert_same_rows(kept, "gradings", GRADING, "gen_condition_id")
    assert_ledger(kept)


@pytest.mark.long
def test_gradings_of_both_times_in_one_log(kept: Kept) -> None:
    """As a grade without a wave leaves them, once replications reach the epochs of the wave."""
    put_together(kept)
    kept.edit(waves=["again"])
    found = ie.import_results(kept.source, kept.config)
    assert found.left_out == [] and (found.solutions, found.gradings) == (48, 160)
    assert_same_rows(kept, "gradings", GRADING, "gen_condition_id")
    assert_reconciled(kept.config)
    assert ie.status(kept.config).lost == []
    assert ie.import_results(kept.source, kept.config).is_nothing


def test_of_a_log_of_both_times_what_the_config_has_comes_in(kept: Kept) -> None:
    put_together(kept)
    found = ie.import_results(kept.source, kept.config)
    assert (found.solutions, found.gradings) == (24, 80)
    assert {one.what: one.count for one in found.left_out}["rows of waves in gradings"] == 80
    assert_reconciled(kept.config)
    assert ie.status(kept.config).lost == []


@pytest.mark.long
def test_a_wave_that_was_gone_on_with_at_more_replications(kept: Kept) -> None:
    """Its epochs stand in two blocks; the samples of a log count from 1 in each."""
    solutions = kept.table("solutions")
    wave = solutions[solutions["wave"] == 1]
    [log, *_] = sorted(wave["log_file"].unique())
    [condition] = wave[wave["log_file"] == log]["condition_id"].unique()

    def move(table: pd.DataFrame, column: str) -> pd.DataFrame:
        late = (table["wave"] == 1) & (table[column] == condition)
        return table.assign(epoch=table["epoch"].where(~late, table["epoch"] + 1))

    kept.change("solutions", lambda table: move(table, "condition_id"))
    kept.change("gradings", lambda table: move(table, "gen_condition_id"))
    for path in [kept.source / log, *sorted((kept.source / "logs" / "grade").rglob("*.eval"))]:
        shift_samples(path, condition)
    kept.edit(waves=["again"])
    ie.import_results(kept.source, kept.config)
    found = of_wave(kept, ie.table(kept.config, "solutions"), "condition_id")
    late = found[found["condition_id"] == condition]
    assert len(late) == 3 * REPLICATIONS and {*late["epoch"]} == {2, 3}
    assert_reconciled(kept.config)
    assert ie.import_results(kept.source, kept.config).is_nothing


def assert_same_rows(kept: Kept, name: str, key: list[str], condition: str) -> None:
    """The rows of the wave are those of the source, conditions and epochs aside."""
    theirs = kept.table(name)
    theirs = theirs[theirs["wave"] == 1].assign(epoch=theirs["epoch"] - REPLICATIONS)
    mine = of_wave(kept, ie.table(kept.config, name), condition)
    not_same = [*NEW, "condition_slug"]
    columns = [one for one in theirs if one in mine and one not in not_same]
    pd.testing.assert_frame_equal(
        plain(mine, key)[columns], plain(theirs, key)[columns], check_dtype=False
    )


def of_wave(kept: Kept, table: pd.DataFrame, condition: str) -> pd.DataFrame:
    """The rows of a wave, under the conditions of the first asking."""
    design = load_study(kept.config).design
    first = {one.id: one.first_id for one in design.generate if one.wave}
    own = table[table[condition].isin(first)]
    return own.assign(**{condition: own[condition].map(first)})


def assert_ledger(kept: Kept) -> None:
    """What each run of the source has cost, by stage: the sums of both ledgers."""
    assert_reconciled(kept.config)
    theirs, mine = kept.table("ledger"), ie.table(kept.config, "ledger")
    mine = mine[mine["model"] != NOBODY]
    theirs = theirs[theirs["model"] != NOBODY]
    sums = [
        table.groupby(["run_id", "stage"])[["calls", "total_tokens", "usd"]].sum().to_dict("index")
        for table in (theirs, mine)
    ]
    assert sums[0].keys() == sums[1].keys()
    assert all(sums[1][run] == pytest.approx(sums[0][run]) for run in sums[0])


def put_together(kept: Kept) -> None:
    """Put the gradings of the wave by one judge into the log of those of the first asking."""
    gradings = kept.table("gradings")
    judged = gradings[gradings["grade_kind"] == "judge"]
    condition = judged["grade_condition_id"].min()
    own = judged[judged["grade_condition_id"] == condition]
    into, of_wave = (own[own["wave"] == wave]["log_file"].iloc[-1] for wave in (0, 1))
    log, other = (read_eval_log(str(kept.source / key)) for key in (into, of_wave))
    log.samples = [*(log.samples or []), *(other.samples or [])]
    for model, usage in other.stats.model_usage.items():
        log.stats.model_usage[model] = log.stats.model_usage[model] + usage
    write_eval_log(log, str(kept.source / into))
    (kept.source / of_wave).unlink()
    runs = own.set_index("log_file")["run_id"].to_dict()
    moved = {"log_file": {of_wave: into}}

    def of_one_run(table: pd.DataFrame) -> pd.DataFrame:
        is_moved = (table["grade_condition_id"] == condition) & (table["wave"] == 1)
        table.loc[is_moved, "run_id"] = runs[into]
        return table.replace(moved)

    kept.change("gradings", of_one_run)
    kept.change("log_index", lambda table: table[table["log_file"] != of_wave])


def shift_samples(path: Path, condition: str, *, by: int = 1) -> None:
    """Let a log be of epochs that start later: of gradings those of a wave, of answers all."""
    log = read_eval_log(str(path))
    told = (log.eval.metadata or {})["itemeval"]
    if told["stage"] == "generate":
        told["epoch_offset"] += by
    for sample in log.samples or []:
        is_own = sample.metadata.get("gen_condition_id") == condition
        if is_own and sample.metadata["epoch"] > REPLICATIONS:
            sample.metadata["epoch"] += by
    write_eval_log(log, str(path))
