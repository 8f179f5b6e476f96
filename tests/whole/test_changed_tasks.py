"""Tasks whose data or scores are other ones than before: told before anything is paid or mixed."""

from pathlib import Path

import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from tests.task_files import QUESTIONS, write_task_study

from .looking import results_dir, rows


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("target=str(2 * n)", 'target="a"', "its target was '2', and is 'a'"),
        ('"topic": word', '"topic": n', "its metadata_json was"),
    ],
)
def test_old_scores_of_a_task_never_stand_beside_new_targets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, said: str
) -> None:
    config = write_task_study(tmp_path)
    api.run(config)
    before = rows(config, "items")
    text = QUESTIONS.replace(old, new)
    write_task_study(tmp_path, text=text)
    (results_dir(config) / "dataset_locks.json").unlink()
    assert run_cli(["run", str(config)]) == 2
    told = capsys.readouterr().err
    assert (
        "item 's1'" in told
        and said in told
        and "This is so for 4 items: 's1', 's2', 's3', 's4'." in told
    )
    assert "response cache" not in told and "mapping" not in told
    assert rows(config, "items") == before


def test_more_samples_of_a_task_are_taken_where_its_old_ones_stay(tmp_path: Path) -> None:
    config = write_task_study(tmp_path)
    api.run(config)
    write_task_study(tmp_path, text=QUESTIONS.replace("count: int = 4", "count: int = 6"))
    (results_dir(config) / "dataset_locks.json").unlink()
    assert api.run(config).calls == 2


def test_answers_that_a_task_scored_and_no_table_has_graded_are_of_their_items(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_task_study(tmp_path)
    api.run(config, only="solutions")
    write_task_study(tmp_path, text=QUESTIONS.replace("target=str(2 * n)", 'target="a"'))
    (results_dir(config) / "dataset_locks.json").unlink()
    assert run_cli(["run", str(config)]) == 2
    assert "has answers to: its target was '2'" in capsys.readouterr().err


CHOICES = QUESTIONS.replace("target=str(2 * n)", 'target="A", choices=["x", "y"]')


def test_choices_of_a_task_in_another_order_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_task_study(tmp_path, text=CHOICES)
    api.run(config)
    write_task_study(
        tmp_path, text=CHOICES.replace('"A", choices=["x", "y"]', '"B", choices=["y", "x"]')
    )
    (results_dir(config) / "dataset_locks.json").unlink()
    assert run_cli(["run", str(config)]) == 2
    assert "its target was 'A', and is 'B'" in capsys.readouterr().err
