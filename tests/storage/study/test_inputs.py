"""Reading what a user writes: the YAML, its templates, its prices."""

import hashlib
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError, ItemevalAssetsError, TemplateError
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.storage.study.inputs import load_prices
from tests.studies import write_study


def refusal(path: Path | str, kind: type[ItemevalAssetsError] = ConfigError) -> str:
    with pytest.raises(kind) as caught:
        load_study(path)
    return str(caught.value)


def test_a_study_is_loaded_from_its_file(tmp_path: Path) -> None:
    path = write_study(tmp_path, prompts=["builtin:standard", "short"])
    study = load_study(path)
    assert study.name == "toy"
    assert (study.config_path, study.config_dir) == (path, tmp_path)
    assert study.config_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert Path(study.location) == tmp_path / "studies" / "toy"
    packaged, local = (condition.prompt for condition in study.design.generate)
    assert (packaged.source, packaged.path) == ("builtin", "builtin:prompts/standard.md")
    assert (local.source, local.path) == (
        "local",
        str(tmp_path / "prompts" / "solver" / "short.md"),
    )
    assert "{input}" in packaged.text
    assert len(study.generate_partitions()) == 2 and len(study.grade_partitions()) == 4
    assert not Path(study.location).exists()


def test_the_mark_of_an_editor_is_no_part_of_a_template(tmp_path: Path) -> None:
    path = write_study(tmp_path, prompts=["short"])
    template = tmp_path / "prompts" / "solver" / "short.md"
    text = template.read_text(encoding="utf-8")
    plain = load_study(path).design
    template.write_text(text, encoding="utf-8-sig")
    assert template.read_bytes().startswith(b"\xef\xbb\xbf")
    assert load_study(path).design == plain
    template.write_text("<|user|>\n{input}", encoding="utf-8-sig")
    (turn,) = load_study(path).design.generate[0].prompt.turns
    assert (turn.role, turn.text) == ("user", "{input}")


def test_everything_is_seen_from_the_config_not_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_study(tmp_path / "project", extra={"output_dir": "../out"})
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    study = load_study("../project/study.yaml")
    assert study.config_path == tmp_path / "project" / "study.yaml"
    assert Path(study.location) == tmp_path / "out" / "toy"


def test_an_absolute_output_dir_and_one_in_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for given, expected in {
        str(tmp_path / "far"): tmp_path / "far" / "toy",
        "~/results": tmp_path / "home" / "results" / "toy",
    }.items():
        path = write_study(tmp_path / "project", extra={"output_dir": given})
        assert Path(load_study(path).location) == expected


def test_other_folders_of_templates(tmp_path: Path) -> None:
    path = write_study(tmp_path, extra={"prompts_dir": "p", "rubrics_dir": "deep/r"})
    (tmp_path / "prompts").rename(tmp_path / "p")
    (tmp_path / "deep").mkdir()
    (tmp_path / "rubrics").rename(tmp_path / "deep" / "r")
    assert load_study(path).design.generate[0].prompt.path == str(tmp_path / "p/solver/short.md")


def test_line_ends_of_templates_are_no_part_of_a_condition(tmp_path: Path) -> None:
    path = write_study(tmp_path)
    before = load_study(path).design
    for template in (tmp_path / "prompts/solver/short.md", tmp_path / "rubrics/strict.md"):
        template.write_bytes(template.read_bytes().replace(b"\n", b"\r\n"))
    assert load_study(path).design == before


def test_a_byte_order_mark_is_no_part_of_the_yaml(tmp_path: Path) -> None:
    path = write_study(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load_study(path).name == "toy"


def test_a_missing_config(tmp_path: Path) -> None:
    write_study(tmp_path)
    message = refusal(tmp_path / "studdy.yaml")
    assert message == (
        f"there is no config file {tmp_path}/studdy.yaml; that folder has study.yaml"
    )
    assert refusal(tmp_path / "no" / "x.yaml") == f"there is no config file {tmp_path}/no/x.yaml"


def test_what_is_no_text_file(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path} is a folder; name the study's YAML file in it"
    (tmp_path / "latin.yaml").write_bytes("study: caf\xe9".encode("latin-1"))
    assert refusal(tmp_path / "latin.yaml") == (
        f"{tmp_path}/latin.yaml is not UTF-8 text (byte 10): save it as UTF-8"
    )
    (tmp_path / "file").write_text("")
    assert refusal(tmp_path / "file" / "x.yaml").startswith("cannot read the config ")


def test_problems_of_the_config_name_the_file(tmp_path: Path) -> None:
    path = write_study(tmp_path, extra={"budget": {"polic": 1}})
    assert refusal(path).startswith(f"{path}: the study config has problems:\n  budget.polic: ")


def test_all_missing_templates_are_named_at_once(tmp_path: Path) -> None:
    facets = {"rubric": ["strikt", "builtin:none"]}
    path = write_study(tmp_path, prompts=["short", "shortt", "standard"], extra={"facets": facets})
    for name in ("shortt", "standard"):
        (tmp_path / "prompts" / "solver" / f"{name}.md").unlink()
    folder = tmp_path / "prompts" / "solver"
    assert refusal(path, TemplateError).splitlines() == [
        f"facets.prompt: 'shortt': there is no file {folder}/shortt.md; did you mean 'short'?",
        f"facets.prompt: 'standard': there is no file {folder}/standard.md; "
        "for the packaged one write builtin:standard",
        f"facets.rubric: 'strikt': there is no file {tmp_path}/rubrics/strikt.md; "
        "did you mean 'strict'?",
        "facets.rubric: there is no packaged 'builtin:none'; there are: builtin:standard",
    ]


def test_local_templates_are_listed_where_none_is_near(tmp_path: Path) -> None:
    path = write_study(tmp_path, prompts=["short", "zzz"])
    (tmp_path / "prompts" / "solver" / "zzz.md").unlink()
    assert "; there are: short, builtin:minimal, builtin:multiple_choice" in refusal(
        path, TemplateError
    )
    (tmp_path / "prompts" / "solver" / "short.md").unlink()
    assert "; there are: builtin:minimal, builtin:multiple_choice" in refusal(path, TemplateError)


@pytest.mark.parametrize("name", ["items.jsonl", "items.CSV", "items.parquet"])
def test_data_in_place_of_the_study(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"{}\xff")
    said = f"{tmp_path}/{name} holds data, and is no study: name the study's YAML file"
    assert refusal(tmp_path / name) == said
    write_study(tmp_path)
    assert refusal(tmp_path / name) == f"{said}; that folder has study.yaml"


def test_unreadable_and_incomplete_templates(tmp_path: Path) -> None:
    path = write_study(tmp_path)
    template = tmp_path / "prompts" / "solver" / "short.md"
    template.write_bytes(b"\xff{input}")
    where = "facets.prompt: 'short': "
    assert refusal(path, TemplateError) == (
        f"{where}{template} is not UTF-8 text (byte 0): save it as UTF-8"
    )
    template.unlink()
    template.mkdir()
    assert refusal(path, TemplateError) == (
        f"{where}{template} is a folder; there has to be a file of that name"
    )
    template.rmdir()
    os.mkfifo(template)
    assert refusal(path, TemplateError) == (
        f"{where}{template} is no file, but a pipe, a socket or a device"
    )
    template.unlink()
    template.write_text("no placeholder")
    assert refusal(path, TemplateError) == (
        f"{path}: template 'short' ({template}) lacks {{input}}; "
        "add it where that text should appear"
    )


def test_without_a_judge_no_rubric_is_read(tmp_path: Path) -> None:
    path = write_study(tmp_path, graders=[])
    (tmp_path / "rubrics" / "strict.md").unlink()
    assert [condition.grader.kind for condition in load_study(path).design.grade] == ["verifiable"]


PRICES: dict[str, Any] = {
    "models": {"mockllm/a": {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}}
}


def test_prices_are_read_from_beside_the_config(tmp_path: Path) -> None:
    path = write_study(tmp_path, extra={"budget": {"pricing_path": "costs/prices.json"}})
    (tmp_path / "costs").mkdir()
    (tmp_path / "costs" / "prices.json").write_text(json.dumps(PRICES))
    assert load_prices(load_study(path)).usd("mockllm/a", {"input_tokens": 10**6}) == 1.0
    plain = load_study(write_study(tmp_path))
    assert load_prices(plain).usd("mockllm/a", {"input_tokens": 10**6}) == 0.5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no file"),
        (b"{", "is not valid JSON"),
        (b"\xff", "is not UTF-8 text (byte 0): save it as UTF-8"),
    ],
)
def test_prices_that_cannot_be_read(tmp_path: Path, content: Any, message: str) -> None:
    path = write_study(tmp_path, extra={"budget": {"pricing_path": "prices.json"}})
    if content is not None:
        (tmp_path / "prices.json").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_prices(load_study(path))
    assert str(caught.value).startswith("budget.pricing_path: ")
    assert message in str(caught.value) and f"{tmp_path}/prices.json" in str(caught.value)


def priced_study(folder: Path, age_days: float | None, most_days: float | None) -> Study:
    """A study with a price file of that age, or of none that it tells, and a limit on it."""
    dated = dict(PRICES)
    if age_days is not None:
        dated["updated_at"] = (datetime.now(UTC) - timedelta(days=age_days)).isoformat()
    budget = {"pricing_path": "prices.json", "pricing_max_age_days": most_days}
    path = write_study(folder, extra={"budget": budget})
    (folder / "prices.json").write_text(json.dumps(dated))
    return load_study(path)


@pytest.mark.parametrize(
    ("age_days", "message"), [(31, "is 31 days old"), (None, "has no updated_at")]
)
def test_old_prices_are_refused(tmp_path: Path, age_days: float | None, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_prices(priced_study(tmp_path, age_days, 30))
    assert str(caught.value).startswith(f"budget.pricing_path: {tmp_path}/prices.json ")
    assert message in str(caught.value)
    assert "budget.pricing_max_age_days is 30" in str(caught.value)
    assert "set updated_at in the file, or raise the limit" in str(caught.value)


@pytest.mark.parametrize(("age_days", "most_days"), [(29, 30), (1000, None), (None, None)])
def test_young_prices_are_taken_and_old_ones_where_nobody_minds(
    tmp_path: Path, age_days: float | None, most_days: float | None
) -> None:
    prices = load_prices(priced_study(tmp_path, age_days, most_days))
    assert prices.usd("mockllm/a", {"input_tokens": 10**6}) == 1.0
