"""Tasks whose data or scores are other ones than before: told before anything is paid or mixed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.errors import DatasetError
from tests.task_files import QUESTIONS, WILD, write_task_study

from .conftest import HasRun
from .looking import assert_reconciled, results_dir, rows


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("target=str(2 * n)", 'target="a"', "its target was '2', and is 'a'"),
        ('"topic": word', '"topic": n', "its metadata_json was"),
    ],
)
def test_old_scores_of_a_task_never_stand_beside_new_targets(
    has_run: HasRun, capsys: pytest.CaptureFixture[str], old: str, new: str, said: str
) -> None:
    config = has_run("task", write_task_study)
    before = rows(config, "items")
    text = QUESTIONS.replace(old, new)
    write_task_study(config.parent, text=text)
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


@pytest.mark.long
def test_more_samples_of_a_task_are_taken_where_its_old_ones_stay(has_run: HasRun) -> None:
    config = has_run("task", write_task_study)
    write_task_study(config.parent, text=QUESTIONS.replace("count: int = 4", "count: int = 6"))
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


@pytest.mark.long
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


SHUFFLED = """\
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.scorer import match


class Odd:
    def same(self):
        return self


@task
def sums():
    samples = [
        Sample(
            id=n,
            input=f"{n}?",
            target=str(n),
            metadata={"tags": {"alpha", "beta", "gamma", "delta"}, "f": Odd(), "g": [Odd.same]},
        )
        for n in range(10)
    ]
    dataset = MemoryDataset(samples)
    dataset.shuffle()
    return Task(dataset=dataset, scorer=match())
"""


@pytest.mark.long
def test_a_task_has_the_same_data_in_each_process(tmp_path: Path) -> None:
    config = write_task_study(tmp_path, text=SHUFFLED)
    run_in_process(config, "11", "--policy", "dev")
    before = {table: rows(config, table) for table in ("items", "solutions", "gradings")}
    [kept] = {row["metadata_json"] for row in before["items"]}
    odd, tags = json.loads(kept), "{'alpha', 'beta', 'delta', 'gamma'}"
    assert (odd["tags"], odd["g"]) == (tags, ["<function Odd.same>"])
    assert odd["f"].endswith("Odd object>")
    for seed in ("22", "33") if "TEST_LONG" in os.environ else ("22",):
        run_in_process(config, seed, "--policy", "dev")
    assert before == {table: rows(config, table) for table in before}
    assert api.run(config).errored == 0


def run_in_process(config: Path, seed: str, *words: str) -> None:
    """Run in a process of its own, which has sets in an order of its own."""
    done = subprocess.run(
        [Path(sys.executable).parent / "itemeval-assets", "run", config, *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": seed},
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["run", "estimate"])
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"topic": word', '"topic": random.random()', "metadata.topic of sample 's1'"),
        ("target=str(2 * n)", "target=str(random.random())", "the target of sample 's1'"),
        ('id=f"s{n}"', "id=str(random.random())", "has no sample '0."),
    ],
)
def test_a_task_that_makes_other_samples_each_time_is_refused_before_anything_is_written(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: str,
    old: str,
    new: str,
    said: str,
) -> None:
    text = f"import random\n{QUESTIONS.replace(old, new)}"
    config = write_task_study(tmp_path, text=text)
    assert run_cli([command, str(config)]) == 2
    told = capsys.readouterr().err
    assert said in told and "each time it is loaded" in told and "seed" in told
    assert not (tmp_path / "studies").exists()


def test_data_that_changed_are_told_with_sample_and_key(
    has_run: HasRun, capsys: pytest.CaptureFixture[str]
) -> None:
    config = has_run("task", write_task_study)
    write_task_study(config.parent, text=QUESTIONS.replace('"topic": word', '"topic": n'))
    assert run_cli(["run", str(config)]) == 2
    told = capsys.readouterr().err
    assert "metadata.topic of sample 's1' was 'sum', and is 1" in told


@pytest.mark.long
def test_data_that_were_pinned_in_the_order_of_the_samples_are_the_same_ones(
    tmp_path: Path,
) -> None:
    config = write_task_study(tmp_path, args={"count": 11})
    api.run(config)
    before = rows(config, "items")
    # The hash as it once was: of the items in the order of the task, s2 before s10.
    old = "c07beb97de931f38ce6c293b48ace86b29e0961d"
    locks = results_dir(config) / "dataset_locks.json"
    document = json.loads(locks.read_text())
    [pin] = document["datasets"].values()
    assert pin["revision"] == before[0]["dataset_revision"] != old
    pin["revision"] = old
    locks.write_text(json.dumps(document))
    assert api.run(config).calls == 0
    assert api.run(config, force=True).calls == 11
    assert {row["dataset_revision"] for row in rows(config, "solutions")} == {old}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("target=str(2 * n)", 'target="a" if n == 2 else str(2 * n)'),
        pytest.param("{n} and {n}?", "{n} + {n}?", marks=pytest.mark.long),
    ],
)
def test_changes_of_a_task_are_accepted_and_only_theirs_is_made_again(
    has_run: HasRun, old: str, new: str
) -> None:
    config = has_run("task", write_task_study)
    before = {table: rows(config, table) for table in ("solutions", "gradings")}
    changed = {"s2"} if "if n == 2" in new else {"s1", "s2", "s3", "s4"}
    write_task_study(config.parent, text=QUESTIONS.replace(old, new))
    with pytest.raises(DatasetError, match="--accept-changes"):
        api.run(config)
    found = api.estimate(config, accept_changes=True)
    assert (found.changed, found.remaining.calls) == (sorted(changed), len(changed))
    assert api.run(config, accept_changes=True).calls == len(changed)
    for table, kept in before.items():
        now = rows(config, table)
        assert len(now) == len(kept)
        assert [row for row in now if row["item_id"] not in changed] == [
            row for row in kept if row["item_id"] not in changed
        ]
        made = [row for row in now if row["item_id"] in changed]
        assert not [row for row in made if row in kept]
    assert_reconciled(config)
    for again in (True, False):
        assert api.run(config, accept_changes=again).calls == 0


def test_a_task_that_makes_other_samples_each_time_is_never_accepted(has_run: HasRun) -> None:
    config = has_run("task", write_task_study)
    before = rows(config, "solutions")
    text = QUESTIONS.replace("target=str(2 * n)", "target=str(random.random())")
    write_task_study(config.parent, text=f"import random\n{text}")
    for command in (api.estimate, api.run):
        with pytest.raises(DatasetError, match="each time it is loaded"):
            command(config, accept_changes=True)
    assert rows(config, "solutions") == before


def test_a_sample_of_a_task_is_compared_with_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extra = {"benchmark": {"sample": {"n": 2, "seed": 1}}}
    config = write_task_study(tmp_path, extra=extra)
    api.run(config)
    write_task_study(tmp_path, text=QUESTIONS.replace("2 * n", "3 * n"), extra=extra)
    assert run_cli(["run", str(config)]) == 2
    assert "First change: the target of sample 's" in capsys.readouterr().err
    assert api.run(config, accept_changes=True).calls == 2


@pytest.mark.long
def test_scores_that_only_logs_told_are_known_again_when_the_lock_is_gone(tmp_path: Path) -> None:
    config = write_task_study(tmp_path, text=WILD)
    api.run(config)
    api.run(config)
    before = scorers(config)
    assert before == ["match", "wild.length", "wild.polite"]
    for again in (api.estimate, api.run):
        (results_dir(config) / "task_lock.json").unlink()
        again(config)
        assert scorers(config) == before


@pytest.mark.long
def test_other_arguments_drop_no_score_of_the_former_ones(tmp_path: Path) -> None:
    text = WILD.replace("def sums():", "def sums(x: int = 1):")
    config = write_task_study(tmp_path, text=text)
    api.run(config)
    before = scorers(config)
    for args, names in (({"x": 2}, ["match"]), ({"x": 3}, ["match"]), ({}, before)):
        write_task_study(tmp_path, text=text, args=args)
        api.estimate(config)
        assert scorers(config) == names
    assert api.run(config).calls == 0


def scorers(config: Path) -> list[str]:
    return [one.grader.name for one in api.load_study(config).design.grade]


TWINS = """\
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import Score, mean, scorer


def named(name, value, metrics):
    @scorer(metrics=metrics, name=name)
    def inner():
        async def score(state, target):
            return Score(value=value)

        return score

    return inner()


@task
def sums():
    samples = [Sample(id=n, input=f"{n}?", target=str(n)) for n in range(2)]
    return Task(
        dataset=samples,
        scorer=[named("a.b", 1, [mean()]), named("a", {"b": 0}, {"b": [mean()]})],
    )
"""


def test_two_scores_of_one_name_are_told_with_their_scorers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_task_study(tmp_path, text=TWINS)
    assert run_cli(["run", str(config)]) == 2
    told = capsys.readouterr().err
    assert "the scorer 'a.b' and the value 'b' of the scorer 'a' are both named 'a.b'" in told
    assert "rename one" in told and not (tmp_path / "studies").exists()


def test_a_score_that_only_logs_tell_takes_no_name_of_another(tmp_path: Path) -> None:
    config = write_task_study(tmp_path, text=TWINS.replace('{"b": [mean()]}', '{"*": [mean()]}'))
    summary = api.run(config)
    assert any("both named 'a.b'" in note for note in summary.notes)
    assert api.run(config).calls == 0
    assert scorers(config) == ["a.b"]


@pytest.mark.parametrize(
    ("sample", "told"),
    [
        ("Sample(id='', input='What is 1 + 1?', target='2')", "sample 1 has an empty id"),
        ("Sample(id='a\\0b', input='What is 1 + 1?', target='2')", "the character NUL"),
        ("Sample(id='a\\ud800', input='What is 1 + 1?', target='2')", "its id holds a lone"),
        ("Sample(id='a', input='What\\ud800 is 1 + 1?', target='2')", "its input holds a lone"),
    ],
)
def test_samples_that_no_log_keeps_are_refused_before_they_are_paid_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sample: str, told: str
) -> None:
    text = TWO_SAMPLES.replace("FIRST", sample)
    config = write_task_study(tmp_path, text=text)
    assert run_cli(["run", str(config)]) == 2
    assert told in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "studies").exists()


TWO_SAMPLES = """\
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import match


@task
def sums():
    samples = [FIRST, Sample(id="ok", input="What is 2 + 2?", target="4")]
    return Task(dataset=samples, scorer=match())
"""
