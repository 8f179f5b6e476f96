"""Waves: a study that is asked again later, while its model and its judge change."""

import json
import re
from pathlib import Path

import pytest
import yaml

import itemeval_assets as ie
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.errors import ConfigError, ConsentMissing
from tests.model_server import Request
from tests.studies import write_study
from tests.task_files import write_task_study

from .conftest import HasRun, Serve
from .looking import assert_reconciled, results_dir, rows, write_prices

ITEMS = 12
JUDGE = {"model": "openai-api/test/judge", "scale": [0, 1]}
COMMENT = "# asked each month\n"


class Changing:
    """A model that answers worse from its second version on, and a judge that grows stricter."""

    def __init__(self) -> None:
        self.model = self.judge = 1

    def __call__(self, request: Request) -> str:
        number = int(re.findall(r"What is (\d+)", request.prompt)[-1])
        if request.model == "judge":
            is_right = f"ANSWER: {2 * number}\n" in f"{request.prompt}\n"
            score = (0.9 if is_right else 0.3) - 0.15 * (self.judge - 1) - 0.01 * (number % 3)
            return json.dumps({"score": round(score, 2)})
        return f"ANSWER: {2 * number if self.model == 1 or number % 4 == 0 else 0}"


def declare(folder: Path, **budget: object) -> Path:
    prices = write_prices(folder, "m", "judge")
    config = write_study(
        folder,
        models=["openai-api/test/m"],
        graders=["judge"],
        items=ITEMS,
        solvers={"max_tokens": 100},
        extra={"graders": {"judge": JUDGE}, "budget": {"pricing_path": prices, **budget}},
    )
    config.write_text(COMMENT + config.read_text())
    return config


def test_a_study_is_asked_again_and_its_first_answers_judged_again(
    serve: Serve, has_run: HasRun
) -> None:
    changing = Changing()
    server = serve(reply=changing)
    config = has_run("study", declare)
    before = config.read_text()
    changing.model = changing.judge = 2
    server.reset_counts()
    foreseen = ie.estimate(config, wave="2026-12").remaining
    assert (foreseen.calls, foreseen.cached, config.read_text()) == (2 * ITEMS, 0, before)
    assert ie.run(config, wave="2026-12").calls == 2 * ITEMS
    assert (server.count("m"), server.count("judge")) == (ITEMS, ITEMS)  # none from the cache
    assert config.read_text() == f"{before}waves:\n  - 2026-12\n"
    [alone] = ie.drift(config, graders="judge").by_grader[0].changes
    assert alone.of == "both"
    server.reset_counts()
    assert run_cli(["run", str(config), "--rejudge", "2026-12", "--json"]) == 0
    assert (server.count("m"), server.count("judge")) == (0, ITEMS)
    assert config.read_text().endswith("rejudges:\n  - 2026-12\n")
    assert ie.run(config).calls == 0 and ie.estimate(config).remaining.calls == 0
    scorer, judge = ie.drift(config).by_grader
    told = {(one.of, one.condition): one.difference for one in (*scorer.changes, *judge.changes)}
    assert told["judge", None].value == pytest.approx(-0.15)
    assert told["model", "m · short"].value == pytest.approx(-0.6 * 9 / 12)
    assert all(one.p < 0.05 for one in told.values())
    assert scorer.changes[0].difference.value == pytest.approx(-9 / 12)
    assert_reconciled(config)
    assert {part.label: part.done for part in ie.status(config).grade} == dict.fromkeys(
        [
            "m · short | numeric",
            "m · short | judge · strict",
            "m · short | judge · strict · rejudged 2026-12",
            "m · short · wave 2026-12 | numeric",
            "m · short · wave 2026-12 | judge · strict",
        ],
        ITEMS,
    )
    served = {row["served_model"] for row in rows(config, "solutions")}
    assert served == {"m"} and {row["served_model"] for row in rows(config, "gradings")} >= {
        "judge"
    }
    assert ie.export(config).rows == 5 * ITEMS
    # Nothing that leaves the study puts a wave together with what was asked first.
    ie.release(config)
    families = ie.compare_releases(config, "v1").by_grader
    assert {one.graded_by: [a for a, _, _ in one.left_out] for one in families} == {
        "numeric": ["m · short v1.0.0", "m · short · wave 2026-12 v1.0.0"],
        "judge · strict": ["m · short v1.0.0", "m · short · wave 2026-12 v1.0.0"],
        "judge · strict · rejudged 2026-12": ["m · short v1.0.0"],
    }
    assert ie.every_eval(config, "Lab").results == 5


def test_anchors_are_the_cells_of_a_wave(serve: Serve, has_run: HasRun) -> None:
    server = serve(reply=Changing())
    config = has_run("study", declare)
    server.reset_counts()
    ie.run(config, wave="2026-12-01", anchors=5)
    assert (server.count("m"), server.count("judge")) == (5, 5)
    assert config.read_text().endswith('waves:\n  - {name: "2026-12-01", anchors: 5}\n')
    asked = {row["item_id"] for row in rows(config, "solutions") if "12-01" in row["condition_id"]}
    assert asked == {"q11", "q9", "q12", "q3", "q2"}
    states = ie.cells(config, conditions="m · short · wave 2026-12-01", graders="numeric")["state"]
    assert states.value_counts().to_dict() == {"not_planned": 7, "done": 5}
    assert [part.cells for part in ie.status(config).generate] == [12, 5]
    # The judge grades the same items again, unless other ones are asked for.
    server.reset_counts()
    ie.run(config, rejudge="2026-12-01")
    assert (server.count("m"), server.count("judge")) == (0, 5)
    assert ie.run(config).calls == 0
    scorer, judge = ie.drift(config).by_grader
    assert [one.difference.n_items for one in (*scorer.changes, *judge.changes)] == [5, 5, 5]


def test_a_wave_that_may_not_be_paid_for_is_not_written(tmp_path: Path, serve: Serve) -> None:
    server = serve(reply=Changing())
    config = declare(tmp_path, confirm_above_usd=0.0)
    ie.run(config, max_usd=1)
    before = config.read_bytes()
    server.reset_counts()
    with pytest.raises(ConsentMissing):
        ie.run(config, wave="2026-12")
    assert (config.read_bytes(), server.count()) == (before, 0)
    assert not list(results_dir(config).glob("solutions.parquet/*2026-12*"))


def test_a_later_time_that_is_stored_is_named_again(serve: Serve, has_run: HasRun) -> None:
    server = serve(reply=Changing())
    config = has_run("study", declare)
    first = config.read_text()
    ie.run(config, wave="w", anchors=2)
    ie.run(config, rejudge="w")
    config.write_text(first)
    server.reset_counts()
    assert ie.run(config, wave="w", anchors=2).calls == 0
    assert ie.run(config, rejudge="w").calls == 0
    assert server.count() == 0
    declared = yaml.safe_load(config.read_text())
    assert declared["waves"] == declared["rejudges"] == [{"name": "w", "anchors": 2}]
    assert {part.label: part.done for part in ie.status(config).grade} == {
        "m · short | numeric": ITEMS,
        "m · short | judge · strict": ITEMS,
        "m · short | judge · strict · rejudged w": 2,
        "m · short · wave w | numeric": 2,
        "m · short · wave w | judge · strict": 2,
    }


def test_a_task_is_asked_again(tmp_path: Path) -> None:
    config = write_task_study(tmp_path)
    ie.run(config)
    summary = ie.run(config, wave="w", anchors=3)
    assert (summary.calls, [part.done for part in summary.status.generate]) == (3, [4, 3])
    found = ie.drift(config).by_grader
    assert [(one.graded_by, one.changes[0].of) for one in found] == [
        ("match", "model"),
        ("includes", "model"),
    ]
    assert ie.run(config).calls == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--wave", "a", "--rejudge", "a"], "wave and rejudge: a run does one of them"),
        (["--anchors", "3"], "anchors: they are items of a wave or a rejudge; name one"),
        (["--wave", "a", "--anchors", "0"], "anchors: 0: give at least 1 item"),
        (
            ["--wave", "a", "--anchors", "5"],
            "anchors: 5 items are to be drawn, and the data have 4",
        ),
        (["--wave", "Dec 2026"], "found 'Dec 2026'"),
        (["--wave", "old", "--anchors", "3"], "'old' has all items in the study file, not 3"),
        (["--rejudge", "a"], "rejudges: the study has no judge that could grade again"),
        (["--wave", "a", "--condition", "b"], "there is no condition 'b' in the design"),
    ],
)
def test_what_is_no_later_time(
    tmp_path: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_study(tmp_path, graders=[], extra={"waves": ["old"]})
    before = config.read_bytes()
    assert run_cli(["run", str(config), *words]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert config.read_bytes() == before and not (tmp_path / "studies").exists()


def test_a_file_that_cannot_take_a_wave_says_what_to_write(tmp_path: Path) -> None:
    config = write_study(tmp_path)
    text = config.read_text()
    config.chmod(0o444)
    with pytest.raises(ConfigError, match="is read-only, and a new time is written into it"):
        ie.run(config, wave="a")
    config.chmod(0o644)
    text = json.dumps(yaml.safe_load(text))
    config.write_text(text)
    with pytest.raises(ConfigError, match="Write 2026-12 into `waves` yourself"):
        ie.run(config, wave="2026-12")
    assert config.read_text() == text


def test_a_link_to_a_study_file_stays_one(tmp_path: Path) -> None:
    config = write_study(tmp_path, graders=[])
    config.write_bytes(config.read_bytes().replace(b"\n", b"\r\n"))
    config.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(config.name)
    ie.run(link, wave="w")
    assert link.is_symlink() and config.read_bytes().endswith(b"waves:\r\n  - w\r\n")
    assert (config.stat().st_mode & 0o777, list(tmp_path.glob(".*draft"))) == (0o640, [])
