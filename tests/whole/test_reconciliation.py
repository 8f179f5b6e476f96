"""Whatever happens to a study, in whatever order, its ledger and its rows agree."""

import math
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from itemeval_assets.core.design.options import RunOptions
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.dagster_io.naming.partitions import by_partition
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.stages.calls.gate import open_gate
from itemeval_assets.stages.calls.stage_run import StageRun
from itemeval_assets.stages.gradings import grade
from itemeval_assets.stages.items import load
from itemeval_assets.stages.ledger import book, mismatches, settle
from itemeval_assets.stages.solutions import generate
from itemeval_assets.storage.study.inputs import load_prices
from itemeval_assets.storage.study.store import open_store
from tests.model_server import Behaviour, ModelServer
from tests.studies import write_study

from .looking import assert_reconciled, write_prices

LEDGERS = {"solutions": "generation_ledger", "gradings": "grading_ledger"}
WORDINGS = ["", "Be brief.\n"]
# What a call may meet: nothing, or, in half of the calls, an error or a blank.
FATES = {
    "well": Behaviour(),
    "errors": Behaviour(permanent=0.5),
    "blanks": Behaviour(blank=0.5),
    "garbage": Behaviour(prose=0.5, cached_tokens=9),
}


class AnyHistory(RuleBasedStateMachine):
    """Runs, forced runs, failures, crashes before booking, edits and deletions, in any order."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="itemeval_assets_history_"))
        self.server = ModelServer().__enter__()
        self.environment = pytest.MonkeyPatch()
        self.environment.setenv("TEST_BASE_URL", self.server.base_url)
        self.environment.setenv("TEST_API_KEY", "sk-of-the-test")
        self.replications, self.wording, self.runs = 1, "", 0
        self.run("solutions", force=False, dies=False)

    @rule(replications=st.integers(1, 2))
    def change_replications(self, replications: int) -> None:
        self.replications = replications

    @rule(wording=st.sampled_from(WORDINGS))
    def edit_the_prompt(self, wording: str) -> None:
        self.wording = wording

    @rule(fate=st.sampled_from(sorted(FATES)), seed=st.integers(0, 3))
    def change_the_weather(self, fate: str, seed: int) -> None:
        behaviour = FATES[fate]
        self.server.behaviour = Behaviour(**{**behaviour.__dict__, "seed": seed})

    @rule(stage=st.sampled_from(sorted(LEDGERS)), force=st.booleans(), dies=st.booleans())
    def run(self, stage: str, force: bool, dies: bool) -> None:
        """A run of a stage; one that dies has made its calls, and stored nothing."""
        study = load_study(self.config())
        store, prices = open_store(study), load_prices(study)
        items = load(study, store).table
        store.replace("items", Partition(()), items)
        self.runs += 1
        run_id = f"run-{self.runs}"
        with open_gate(study, store, prices, holder=run_id, consent_usd=math.inf) as gate:
            run = StageRun(
                study=study,
                store=store,
                prices=prices,
                items=items,
                options=RunOptions(force=force),
                run_id=run_id,
                gate=gate,
                listener=lambda progress: None,
                say=lambda line: None,
            )
            if stage == "solutions":
                outcome = generate(run, study.generate_partitions())
            else:
                outcome = grade(run, store.read("solutions"), study.grade_partitions())
            if dies:
                return
            for partition in outcome.pending:
                store.upsert(stage, partition, by_partition(outcome.rows, stage)[partition])
            bookings, asset = book(store, outcome, run_id), LEDGERS[stage]
            for partition in outcome.pending:
                store.upsert("bookings", partition, by_partition(bookings, asset)[partition])
            settle(store, outcome)

    @rule(stage=st.sampled_from(sorted(LEDGERS)), pick=st.integers(0, 9))
    def delete_a_table_file(self, stage: str, pick: int) -> None:
        study = load_study(self.config())
        store, single = open_store(study), stage == "solutions"
        design = study.generate_partitions() if single else study.grade_partitions()
        stored = [partition for partition in design if store.has(stage, partition)]
        if stored:
            Path(store.uri(stage, stored[pick % len(stored)])).unlink()
            # Only the next run of its partition reads the rows back from the logs.
            self.run(stage, force=False, dies=False)

    @invariant()
    def the_ledger_equals_the_rows(self) -> None:
        if hasattr(self, "folder"):
            config = self.config()
            assert mismatches(open_store(load_study(config))) == []

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            # Booked at last, also what died, of both prompts: a run reads the logs of its design.
            for self.wording in WORDINGS:
                for stage in sorted(LEDGERS, reverse=True):
                    self.run(stage, force=False, dies=False)
            assert_reconciled(self.config())
            self.server.__exit__()
            self.environment.undo()
            shutil.rmtree(self.folder)

    def config(self) -> Path:
        path = write_study(
            self.folder,
            models=["openai-api/test/m"],
            graders=["openai-api/test/judge"],
            items=2,
            replications=self.replications,
            solvers={"max_retries": 0, "on_empty": "rerun"},
            extra={"budget": {"pricing_path": write_prices(self.folder, "m", "judge")}},
        )
        prompt = self.folder / "prompts" / "solver" / "short.md"
        prompt.write_text(f"{self.wording}{{input}}\n")
        return path


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(
    max_examples=12 if "TEST_ROUNDS" in os.environ else 4,
    stateful_step_count=8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
