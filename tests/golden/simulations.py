"""An experiment with every kind of input and output; in a module, so that processes import it."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, Field

from itemeval_assets.experiments import (
    ExperimentInputSpec,
    ExperimentOutputSpec,
    FileReference,
    experiment,
)

__all__ = ["BROKEN", "Simulation", "golden_simulation"]

# Materials that fail.
BROKEN: set[str] = set()
INSTANT = pd.Timestamp("2024-01-02 03:04:05.123456789")


class Grid(BaseModel):
    cells: int
    names: list[str] = []


class Simulation(ExperimentInputSpec):
    temperature: float = Field(description="in kelvin", ge=0)
    material: str = Field(description="what is simulated")
    count: int | None = None
    tags: list[str] = Field(default_factory=list)
    grid: Grid = Grid(cells=1)
    weather: FileReference | None = Field(default=None, description="hourly weather")

    @property
    def computed_features(self) -> dict[str, Any]:
        return {"is_hot": self.temperature > 280, "label": self.count or self.material}


class Energy(ExperimentOutputSpec):
    energy: float = Field(description="in joule")
    efficiency: float | None
    mixed: Any
    parts: list[int]
    by_name: dict[str, Any]
    report: FileReference


@experiment(retries=1, description="Energy of a material.")
def golden_simulation(spec: Simulation, tempdir: Path) -> Energy:
    """Energy and efficiency of a material."""
    if spec.material in BROKEN:
        raise ValueError(f"no {spec.material} today")
    weather = spec.fetch("weather").read_text() if spec.weather else "none"
    report = tempdir / "report.txt"
    report.write_text(f"{spec.material} {spec.temperature:g} {weather}")
    hourly = pd.DataFrame({"hour": [0, 1], "load": [spec.temperature, None]})
    years = pd.DataFrame(
        {"price": [Decimal("1.5"), None], "when": [INSTANT, INSTANT.floor("s")]},
        index=pd.Index([2020, 2021], name="year"),
    )
    return Energy(
        energy=spec.temperature * 2,
        efficiency=None if spec.material == "wood" else 95.0,
        mixed={"steel": 1, "wood": "a text", "glass": None}.get(spec.material, [1, 2]),
        parts=[1, 2],
        by_name={"a": spec.count, "b": [spec.material]},
        report=report,
        dataframes={"hourly": hourly, "error_years": years},
    )
