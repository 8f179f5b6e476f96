"""The scene of an experiment: versions, failures, what is resumed, how it is read."""

import re
import time
from collections.abc import Sequence
from typing import Any

from itemeval_assets.experiments import (
    BaseExperiment,
    ExperimentRun,
    ExperimentRunSettings,
    ExperimentStorageSettings,
    RunRef,
    compare_versions,
)
from tests.experiments import every_output
from tests.model_server import ModelServer

from .session import Place, Session
from .simulations import BROKEN, Simulation, golden_simulation

__all__ = ["published"]


def published(place: Place, server: ModelServer) -> Session:
    """Three specs of which one fails, resumed; another version; one spec alone; all that fails."""
    session = Session(place, "golden_simulation")
    session.experiments = ["golden_simulation", "every_output"]
    session.file("berlin.epw", "sunny")
    settings = ExperimentStorageSettings(BUCKET=place.experiments, BUCKET_PREFIX="scythe")
    simulated = BaseExperiment(golden_simulation, storage_settings=settings)
    specs = [
        Simulation(temperature=250, material="steel", count=3, tags=["a"], weather="berlin.epw"),
        Simulation(temperature=300.5, material="wood", weather="berlin.epw"),
        Simulation(temperature=0, material="glass", count=2**60 + 1),
    ]
    BROKEN.add("glass")
    run = allocated(session, simulated, specs, version="bumpmajor")
    BROKEN.clear()
    tell(session, "resume", run, simulated.resume(run))
    apart = ExperimentRunSettings(executor="multiprocess", shard_size=2, max_concurrent=1)
    allocated(session, simulated, [*specs[1:], specs[0]], version="bumpminor", run_settings=apart)
    allocated(session, simulated, specs[:1], version="bumppatch")
    BROKEN.add("steel")
    allocated(session, simulated, specs[:1], version="keep")
    BROKEN.clear()
    every = BaseExperiment(every_output.every_output, storage_settings=settings)
    allocated(
        session, every, every_output.specs(), run_settings=ExperimentRunSettings(shard_size=4)
    )
    read(session, simulated)
    session.give("experiments list --json --bucket {bucket}")
    session.give("experiments show golden_simulation --version v1.0.0 --json --bucket {bucket}")
    session.give("experiments show golden_simulation --bucket {bucket}")
    session.give("experiments compare golden_simulation v1.0.0 v1.1.1 --bucket {bucket}")
    return session


def allocated(
    session: Session, experiment: "BaseExperiment[Any, Any]", specs: Sequence[Any], **given: Any
) -> "ExperimentRun[Any, Any]":
    time.sleep(1 - time.time() % 1)  # runs are named by the second: no two have the same
    run, ref = experiment.allocate(list(specs), **given)
    tell(session, f"allocate {given.get('version', '')}", run, ref)
    return run


def tell(session: Session, what: str, run: "ExperimentRun[Any, Any]", ref: RunRef) -> None:
    session.say(f"> {what} -> {run.experiment_id}")
    try:
        session.say(f"  {len(ref.result())} rows")
    except Exception as error:
        session.say(f"  {type(error).__name__}: {error}")
    session.tokens.name(run.manifest().workflow_run_id, f"run of {run.experiment_id.split('/')[1]}")
    ended = run.status()
    session.say(f"  {ended.status} {ended.specs} {ended.succeeded} {ended.failed} {ref.status()}")


def read(session: Session, experiment: "BaseExperiment[Any, Any]") -> None:
    """What the API says of what is there."""
    for version in experiment.list_versions():
        session.say(f"> {version.version}: {[run.experiment_id for run in version.list_runs()]}")
    session.say(f"> latest run {experiment.latest_run.experiment_id}")
    session.say(f"> latest results {experiment.latest_results}")
    run = experiment.latest_run_with_results
    paths = re.sub(r"PosixPath\(('[^']*')\)", r"\1", str(run.specs()))  # in a bucket a text
    session.say(f"> {paths}")
    session.say(f"> {run.input_artifacts()} {run.list_results_files()}")
    frame = run.load_results("hourly")
    session.say(f"> {list(frame.index.names)} {frame.dtypes.to_dict()}")
    session.say(f"> {compare_versions(experiment, 'v1.0.0', 'v1.1.0')}")
