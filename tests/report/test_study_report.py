"""The report of a study: one page that needs nothing else, and says what it is made of."""

import json
import re
import webbrowser
from html.parser import HTMLParser
from pathlib import Path

import pytest

import itemeval_assets as ie
from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.errors import StoreError
from itemeval_assets.dagster_io.naming.names import asset_key
from itemeval_assets.runs.launching.launcher import Launcher
from itemeval_assets.storage.study.layout import REPORT
from itemeval_assets.storage.study.store import open_store
from tests.scored import scored_study
from tests.studies import write_study

SECTIONS = [
    *("Scores", "Comparisons", "Scores by topic", "Hardest items", "Reliability", "Judges"),
    *("Odd items", "Cells", "Costs", "Design", "Origin"),
]


class Page(HTMLParser):
    """What a page says, loads and links to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str, attribute: str) -> list[str]:
        return [str(found[attribute]) for name, found in self.tags if name == tag]


def score(model: str, grader: str, n: int, epoch: int) -> float | None:
    """The items are harder the later they come; one reply cannot be parsed."""
    if (grader, n) == ("strict_judge", 7):
        return None
    return round(1 - n / 10 - 0.05 * len(model) % 0.1, 3)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lab")
    return scored_study(folder, score, items=8, models=("mockllm/<b>x", "other/y")).config_path


@pytest.fixture(scope="module")
def text(config: Path) -> str:
    return Path(ie.write_report(config)).read_text(encoding="utf-8")


def test_it_has_every_section_and_a_way_to_each(text: str) -> None:
    assert re.findall("<h2>(.*)</h2>", text) == SECTIONS
    page = Page(text)
    targets = {address.removeprefix("#") for address in page.all("a", "href") if address[0] == "#"}
    assert targets == {*page.all("section", "id")} and len(targets) == len(SECTIONS)


def test_it_loads_nothing(text: str) -> None:
    page = Page(text)
    assert page.all("img", "src") and not {tag for tag, _ in page.tags} & {"script", "iframe"}
    loaded = [*page.all("img", "src"), *page.all("link", "href")]
    assert all(source.startswith("data:") for source in loaded)
    links = {address.partition(":")[0] for address in page.all("a", "href") if address[0] != "#"}
    assert links == {"file"}


@pytest.mark.pictures
def test_who_cannot_see_a_picture_is_told_its_figures(text: str) -> None:
    told = Page(text).all("img", "alt")
    assert any(re.search(r"^Mean score.*numeric, <b>x.*: 0\.\d\d \(", one) for one in told), told
    assert any(one.startswith("First less second") for one in told)
    for one in told:
        assert re.search(r"\d", one) and "\n" not in one


def test_a_name_is_no_markup(text: str) -> None:
    assert "&lt;b&gt;x" in text and "<b>" not in text


def test_the_hardest_items_come_first_with_their_answers(text: str) -> None:
    summaries = re.findall("<summary>(score .* · What is.*)</summary>", text)
    assert summaries[0] == "score 0.275 · q7 · What is q7?" and len(summaries) == 5
    answers = text[text.index(f"<summary>{summaries[0]}") : text.index(f"<summary>{summaries[1]}")]
    assert "What is q7?" in answers and "Target: 4" in answers
    assert answers.count(">numeric<") == 2 and answers.count("<tr>") == 1 + 2


@pytest.mark.parametrize("missed", [0, 2])
def test_items_that_everybody_solves_are_none_of_the_hardest(tmp_path: Path, missed: int) -> None:
    study = scored_study(tmp_path, lambda model, grader, n, epoch: float(n >= missed), items=8)
    page = Path(ie.write_report(study)).read_text(encoding="utf-8")
    assert len(re.findall("<summary>score .* · What is.*</summary>", page)) == missed
    assert ("Hardest items" in page) == bool(missed)


def test_it_says_what_is_mock_what_is_missing_and_what_it_is_made_of(text: str) -> None:
    said = " ".join(Page(text).texts)
    assert "Mock models: mockllm/<b>x, mockllm/judge." in said
    assert "2 models x 1 prompt x 1 model config answered 8 items, 1 replication each" in said
    assert "46 of 48" in said and "unparsed" in said
    assert api.load_study.__name__ and "study: toy" in said and "Grade the solution" in said


def test_secrets_stay_out(tmp_path: Path) -> None:
    secret = "sk-ant-" + "x" * 90
    extra = {"solvers": {"provider_routing": {"api_key": secret}}}
    study = scored_study(tmp_path, score, extra=extra)
    text = Path(ie.write_report(study)).read_text(encoding="utf-8")
    assert secret not in text and "REDACTED" in text.upper()


def test_a_file_of_ones_own_and_the_policy(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "report.html"
    line = ["report", str(config), "--out", str(page), "--policy", "dev"]
    assert run_cli(line) == 0
    assert capsys.readouterr().out == f"  {page}\n"
    assert "Policy dev: 2 of 8 items" in page.read_text(encoding="utf-8")
    assert run_cli([*line, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"report": str(page)}
    assert list(tmp_path.iterdir()) == [page]


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("report.csv", "--out report.csv: give a file that ends with .html"),
        ("no/report.html", "there is no folder no; make it first"),
    ],
)
def test_a_file_that_cannot_be_is_refused(
    config: Path,
    out: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_cli(["report", str(config), "--out", out]) == 2
    assert message in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_nothing_graded_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    config = write_study(tmp_path)
    with pytest.raises(StoreError, match="nothing is graded yet: itemeval-assets run"):
        ie.write_report(config)
    assert not open_store(api.load_study(config)).backend.exists(REPORT)


def test_the_browser_is_opened_where_that_is_asked(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda page: opened.append(page) or len(opened) == 1)
    assert run_cli(["report", str(config), "--open"]) == 0
    told = capsys.readouterr()
    assert [Path(told.out.strip()).as_uri()] == opened and not told.err
    assert run_cli(["report", str(config), "--open"]) == 0
    assert capsys.readouterr().err == f"note: no browser was found; open {opened[0]}\n"


def test_a_report_gives_a_run_nothing_to_do(tmp_path: Path) -> None:
    study = api.load_study(write_study(tmp_path))
    assert api.run(study).run_ids
    ie.write_report(study)
    assert not api.run(study).run_ids


def test_the_asset_writes_the_same_page(tmp_path: Path) -> None:
    study = scored_study(tmp_path, score)
    with Launcher.open(study) as launch:
        launch(["report"])
        [event] = launch.instance.fetch_materializations(asset_key(study, "report"), 1).records
    assert event.asset_materialization
    metadata = event.asset_materialization.metadata
    page = Path(str(metadata["report"].value))
    assert metadata["bytes"].value == page.stat().st_size
    written = page.read_text(encoding="utf-8")
    again = Path(ie.write_report(study)).read_text(encoding="utf-8")
    made = re.compile(r"Made \S+ with|base64,[^\"]*")
    assert made.sub("", written) == made.sub("", again)
