"""The sections of the YAML, a file for each, and `study` with all of them.

Fields marked with `IDENTITY` enter a condition's id; every other field may change without starting
new conditions. The description of a field is its line in the reference of all keys.
"""

from .automation import AutomationConfig
from .benchmark import (
    AS_CSV,
    DATASET_ID,
    BenchmarkConfig,
    DatasetConfig,
    MappingConfig,
    SampleConfig,
    TaskBenchmark,
)
from .budget import BudgetConfig
from .facets import FacetsConfig, ModelConfigFacet
from .gate import GateConfig
from .measurement import ITEM_COLUMNS, MeasurementConfig
from .precision import PrecisionConfig
from .rubrics import RubricConfig
from .solvers import SolversConfig
from .study import StudySections
from .waves import WaveConfig

__all__ = [
    "AS_CSV",
    "DATASET_ID",
    "ITEM_COLUMNS",
    "AutomationConfig",
    "BenchmarkConfig",
    "BudgetConfig",
    "DatasetConfig",
    "FacetsConfig",
    "GateConfig",
    "MappingConfig",
    "MeasurementConfig",
    "ModelConfigFacet",
    "PrecisionConfig",
    "RubricConfig",
    "SampleConfig",
    "SolversConfig",
    "StudySections",
    "TaskBenchmark",
    "WaveConfig",
]
