"""What the waves of itemeval are called here, and how many epochs come before each."""

import re

import pytest

from itemeval_assets.core.config.wording import WAVE_NAME
from itemeval_assets.core.imports.waves import later_runs, names_of, offsets_of


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["2026-12", "w.2_b"], ["2026-12", "w.2_b"]),
        (["Second wave!"], ["second-wave"]),
        (["A b", "a-b", "a b", "A b"], ["a-b", "a-b-2", "a-b-3"]),
        (["第二"], ["wave"]),
        (["x" * 40, f"{'x' * 40}y"], ["x" * 32, f"{'x' * 28}-2"]),
    ],
)
def test_names_are_such_that_a_config_may_have_them(labels: list[str], names: list[str]) -> None:
    found = names_of(labels)
    assert [*found.values()] == names
    assert all(re.fullmatch(WAVE_NAME, name) for name in names)


def manifest(
    run: str, label: str | None, offset: int, stage: str = "generate"
) -> dict[str, object]:
    wave = 0 if label is None else 1
    told = {"wave": wave, "wave_label": label, "epoch_offset": offset}
    return {"run_id": run, "stage": stage, **told}


def test_a_wave_begins_where_its_first_block_of_epochs_does() -> None:
    rows = [
        {"run_id": "b", "wave_label": "w", "epoch": 6},
        {"run_id": "a", "wave_label": "w", "epoch": 4},
        {"run_id": "d", "wave_label": "v", "epoch": 9},
    ]
    manifests = [
        manifest("first", None, 0),
        manifest("c", "w", 2),
        manifest("judge", "w", 1, "grade"),
        manifest("e", "u", 12),
        {"run_id": "of 0.1", "stage": "generate"},
    ]
    assert offsets_of(rows, manifests) == {"w": 2, "v": 8, "u": 12}
    runs = {"a": "w", "b": "w", "c": "w", "d": "v", "e": "u"}
    assert later_runs(rows, manifests) == runs
