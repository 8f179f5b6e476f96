"""The experiment of the kept stores; in a module, so that its results can be resumed."""

from pathlib import Path

import pandas as pd

from itemeval_assets.experiments import (
    ExperimentInputSpec,
    ExperimentOutputSpec,
    FileReference,
    experiment,
)

__all__ = ["BROKEN", "Melting", "kept_melting"]

# Materials that fail.
BROKEN: set[str] = set()


class Melting(ExperimentInputSpec):
    material: str
    pressure: float = 1.0
    notes: FileReference | None = None


class Melted(ExperimentOutputSpec):
    temperature: float
    report: FileReference


@experiment
def kept_melting(spec: Melting, tempdir: Path) -> Melted:
    """At which temperature a material melts."""
    if spec.material in BROKEN:
        raise ValueError(f"no {spec.material} today")
    report = tempdir / "report.txt"
    report.write_text(spec.fetch("notes").read_text() if spec.notes else "none")
    steps = pd.DataFrame({"step": [0, 1], "heat": [spec.pressure, 2 * spec.pressure]})
    temperature = 1000.0 * len(spec.material) * spec.pressure
    return Melted(temperature=temperature, report=report, dataframes={"steps": steps})
