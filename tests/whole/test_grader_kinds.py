"""A new kind of grader is a file and a line: a study uses two that the package does not know."""

import json
from pathlib import Path
from typing import Any

import pytest

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.engine.study_files import load_study
from tests.commands import run_script
from tests.studies import write_study

GRADERS = {
    "asker": {"kind": "yes_no", "asked": "mockllm/asker", "question": "Is it sound?"},
    "fours": {"kind": "count", "sign": "4"},
}
ITEMS = 6
# The design is read by models that are made of the kinds.
ANEW = """
import sys
from pathlib import Path
for name in [name for name in sys.modules if name.partition(".")[0] == "itemeval_assets"]:
    del sys.modules[name]
from tests.whole.toy_graders import main
main(Path(sys.argv[1]))
"""


def toy_study(folder: Path) -> Path:
    return write_study(
        folder,
        graders=["mockllm/judge", "asker", "fours"],
        scorer=["numeric", "length"],
        items=ITEMS,
        extra={"graders": GRADERS},
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process that has registered the graders tells of the study."""
    config = toy_study(tmp_path_factory.mktemp("toy"))
    script = config.with_name("toy_graders.py")
    script.write_text(ANEW)
    code, printed, said = run_script(script, config)
    assert code == 0, said
    return json.loads(printed.splitlines()[-1])


def by_kind(rows: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["grade_kind"] == kind]


def test_without_its_line_a_kind_is_not_known(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"graders.asker.kind: unknown kind of grader 'yes_no'"):
        load_study(toy_study(tmp_path))


def test_its_cells_are_graded_once_and_by_its_own_rules(told: dict[str, Any]) -> None:
    assert told["calls"] == [3 * ITEMS, 0]  # answers, verdicts of the judge, yes and no
    assert told["failed_checks"] == 0
    assert told["done"] == dict.fromkeys(told["done"], ITEMS) and len(told["done"]) == 5
    asked, counted = by_kind(told["gradings"], "yes_no"), by_kind(told["gradings"], "count")
    assert {(row["judge_completion"], row["score"]) for row in asked} == {("yes", 1.0), ("no", 0.0)}
    assert {row["grader_model"] for row in asked} == {"mockllm/asker"}
    texts = {row["item_id"]: row["solution"] for row in told["gradings_long"]}
    assert [row["score"] for row in counted] == [texts[r["item_id"]].count("4") for r in counted]
    sizes = [row for row in told["gradings"] if row["scorer_name"] == "length"]
    assert [row["score"] for row in sizes] == [len(texts[row["item_id"]]) for row in sizes]
    assert {row["usd"] for row in [*counted, *sizes]} == {0.0}
    assert {row["rubric_name"] for row in [*asked, *counted]} == {None}


def test_its_conditions_have_ids_and_names_of_their_own(told: dict[str, Any]) -> None:
    slugs = [id.rpartition("--")[0] for id in told["ids"]]
    assert slugs[1] == "scorer_length" and slugs[3:] == ["yes-no_asker", "count_fours"]
    assert told["foreseen"] == ["a · short | judge · strict", "a · short | asker"]
    assert told["asker"] == 2 * ITEMS
    assert (
        "graders.asker.qestion: unknown key 'qestion'; did you mean 'question'?"
        in (told["refused"])
    )


def test_what_calls_nobody_is_booked_for_nothing(told: dict[str, Any]) -> None:
    rows = [row for row in told["ledger"] if row["stage"] == "grade"]
    booked = {row["model"]: row for row in rows}
    assert set(booked) == {"mockllm/judge", "mockllm/asker", "(verifiable)"}
    free = [(row["calls"], row["usd"]) for row in rows if row["model"] == "(verifiable)"]
    assert free == 3 * [(ITEMS, 0.0)]
    assert booked["mockllm/asker"]["input_tokens"] > 0
