"""`measurement.families`: a family per model, and nothing else."""

import pytest
from pydantic import ValidationError

from itemeval_assets.core.config.sections import MeasurementConfig


def test_families_the_other_way_round_are_refused_with_the_form() -> None:
    with pytest.raises(ValidationError, match=r"one family per model, \{model id: family\}"):
        MeasurementConfig.model_validate({"families": {"openai": ["openai/a"]}})
    assert MeasurementConfig(families={"openai/a": "x"}).families == {"openai/a": "x"}
