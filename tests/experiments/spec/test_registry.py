"""What may be an experiment, and what the decorator makes of it."""

import importlib
import re

import pytest

from itemeval_assets.core.errors import ConfigError, ItemevalAssetsError
from itemeval_assets.experiments import (
    BaseExperiment,
    ExperimentInputSpec,
    ExperimentOutputSpec,
    SpecError,
    experiment,
    registered,
)
from itemeval_assets.experiments.layout.settings import ExperimentRunSettings
from itemeval_assets.experiments.registry import as_experiment
from itemeval_assets.experiments.runs.launch import require_startable
from tests.experiments import toys


class In(ExperimentInputSpec):
    x: int = 0


class Out(ExperimentOutputSpec):
    y: int


def plain(spec: In) -> Out:
    return Out(y=spec.x)


def test_a_registered_function_is_still_that_function():
    assert toys.square(toys.Number(x=3)).square == 9
    assert toys.square.__name__ == "square"  # type: ignore[attr-defined]
    assert toys.simulate_energy.description == "Energy and efficiency of a material."


def test_it_has_a_name_types_and_an_asset():
    found = toys.square
    assert (found.name, found.description) == ("square-numbers", "Squares.")
    assert (found.input_type, found.output_type) == (toys.Number, toys.Square)
    assert found.asset.key.path == ["square_numbers"]
    assert found.asset.partitions_def is not None
    assert found in registered()


def test_a_plain_function_becomes_the_same_experiment_each_time():
    assert as_experiment(plain) is as_experiment(plain)
    assert BaseExperiment(plain).base_id == "plain"


def test_two_functions_of_one_name_are_refused():
    with pytest.raises(SpecError, match=r"'square_numbers': tests\.experiments\.toys:square and"):

        @experiment(name="square_numbers")
        def other(spec: In) -> Out: ...


def test_a_module_may_be_loaded_again(tmp_path, monkeypatch):
    (tmp_path / "loaded_twice.py").write_text(
        "from tests.experiments.toys import Number, Square, experiment\n"
        "@experiment\n"
        "def loaded_twice(spec: Number) -> Square: ...\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("loaded_twice")
    before = module.loaded_twice
    importlib.reload(module)
    assert module.loaded_twice is not before
    assert module.loaded_twice in registered() and before not in registered()


@pytest.mark.parametrize("name", ["a/b", "..", "a.b", "a b", "_x", "-x", "é"])
def test_a_name_that_is_no_folder_is_refused(name):
    said = re.escape(repr(name)) + ".* begins with a letter or a digit"
    with pytest.raises(SpecError, match=said):
        experiment(name=name)(plain)
    with pytest.raises(ConfigError, match=said):
        BaseExperiment(name)


def test_a_function_of_another_shape_is_refused():
    with pytest.raises(SpecError, match="spec"):

        @experiment  # type: ignore[arg-type]
        def nothing(spec): ...


def test_a_function_inside_a_function_cannot_go_to_other_processes():
    @experiment
    def local(spec: In) -> Out: ...

    settings = ExperimentRunSettings(executor="multiprocess")
    with pytest.raises(ItemevalAssetsError, match="move it to a module") as caught:
        require_startable(local, settings)
    assert caught.value.exit_code == 2
    require_startable(toys.square, settings)
    require_startable(as_experiment(plain), settings)
