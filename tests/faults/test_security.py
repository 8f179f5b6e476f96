"""What an attacker may control: files of a study, replies, buckets. What they must not get."""

import ast
import csv
import io
import json
import os
import re
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import itemeval_assets
from itemeval_assets import api, figures
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.config.reading import parse_config
from itemeval_assets.core.errors import ConfigError, ItemevalAssetsError, StoreError
from itemeval_assets.core.prompts.templates import render
from itemeval_assets.core.text.secrets import redacted, without_secrets
from itemeval_assets.core.text.spreadsheet import for_spreadsheet
from itemeval_assets.core.text.yaml.strict import load_yaml
from itemeval_assets.defs.build import build_definitions
from itemeval_assets.engine.models import local_model
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.experiments.layout.keys import is_experiment_name
from itemeval_assets.experiments.layout.records import InputArtifacts, read_record
from itemeval_assets.settings import Settings
from itemeval_assets.storage.objects.backends import open_backend
from itemeval_assets.storage.objects.disk import LocalBackend
from itemeval_assets.storage.s3.bucket import s3_client, split_s3
from tests.model_server import error_answer
from tests.studies import study_yaml, write_study
from tests.whole.conftest import Serve
from tests.whole.looking import results_dir, rows

from .study_runs import declare, run_stages

PACKAGE = Path(itemeval_assets.__file__).parent
KEY = "hunter2-correct-horse-battery"
# In no form that only keys have: known from the environment alone.
PLAIN_KEY = "correcthorsebatterystaple"
PLANTED = [
    f"401 for Authorization: Bearer {KEY}",
    f"headers: {{'authorization': 'Basic {KEY}1'}}",
    f"Authorization: {KEY}",
    f'{{"api_key": "{KEY}"}} is no key',
    f"x-api-key: {KEY}",
    f"Incorrect API key provided: {KEY}. You can find yours at https://example.com",
    f"cannot connect to https://me:{KEY}@host/path",
    f"https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIAABCDEFGHIJKLMNOP&X-Amz-Signature={KEY}",
    f"https://b.s3.amazonaws.com/k?AWSAccessKeyId={KEY}&Signature={KEY}&Expires=1",
    f"https://b.s3.amazonaws.com/k?X-Amz-Security-Token={KEY}",
    f"https://a.blob.core.windows.net/c?sv=1&sig={KEY}",
    f"https://hooks.slack.com/services/T0/B0/{KEY}",
    f"https://discord.com/api/webhooks/1/{KEY}",
    f"password={KEY} for redis://:{KEY}@there",
    f"client_secret: {KEY}",
]
FORMS = [
    "sk-proj-0123456789abcdefABCDEF",
    "ghp_" + "a1" * 18,
    "github_pat_" + "a1" * 20,
    "gsk_" + "a1" * 20,
    "xoxb-1234567890-abcdef",
    "hf_" + "aB3" * 12,
    "ASIAABCDEFGHIJKLMNOP",
    "AIza" + "x1" * 17,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3.c2lnbmF0dXJl",
]


# --- servers


def test_nothing_of_the_package_listens_on_other_addresses() -> None:
    source = Path(local_model.__file__).read_text(encoding="utf-8")
    assert re.findall(r"hostnames = (.*)", source) == ['["127.0.0.1"]']
    for path in sources():
        text = path.read_text(encoding="utf-8")
        assert "0.0.0.0" not in text and '"::"' not in text, path


# --- code that data could run


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "system", "popen", "full_load"}
FORBIDDEN_CALLS |= {"unsafe_load", "read_pickle", "to_pickle", "literal_eval"}
FORBIDDEN_MODULES = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "jinja2"}
OWN = {"inspect_ai.eval", "re.compile", "re2.compile"}
# The one place that runs code of a user, in a process of its own: a scorer in Python.
OF_SCORERS = "engine/scorers/loading.py"
# The definitions of a module of inspect_ai, as an import would run them.
OF_INSPECT = "engine/scorers/prompts_of_inspect.py"
# Its templates are those of the package; data are only values in them.
OF_TEMPLATES = "report/render/markdown.py"


def test_no_data_is_run_or_unpickled() -> None:
    for path in sources():
        allowed = {"jinja2"} if path == PACKAGE / OF_TEMPLATES else set[str]()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                named = [alias.name for alias in node.names]
                modules = named if isinstance(node, ast.Import) else [node.module or ""]
                loaded = {name.split(".")[0] for name in modules}
                assert not loaded & (FORBIDDEN_MODULES - allowed), (path, modules)
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                name = called.rpartition(".")[2]
                runs_code = path in (PACKAGE / OF_SCORERS, PACKAGE / OF_INSPECT)
                is_known = called in OWN or (runs_code and called in {"exec", "compile"})
                assert is_known or name not in FORBIDDEN_CALLS, (path, called)
                options = {option.arg: ast.unparse(option.value) for option in node.keywords}
                assert options.get("shell", "False") == "False", (path, called)
                assert options.get("allow_pickle", "False") == "False", (path, called)
                if called == "yaml.load":
                    assert "Loader" in ast.unparse(node), (path, called)


# --- YAML

HOSTILE = {
    "object": "study: !!python/object/apply:os.system ['touch owned']",
    "name": "study: !!python/name:os.system",
    "module": "study: !!python/module:os",
    "tuple": "study: !!python/tuple [1]",
    "digits": "study: " + "9" * 5000,
    "date": "study: 2026-13-45",
    "deep list": "study: " + "[" * 20_000,
    "deep mapping": "study: " + "{a: " * 20_000,
    "itself": "study: &a [*a]",
    "control": "study: \x01",
    "merge": "<<: 5",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_yaml_is_a_message_and_makes_no_object(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(HOSTILE[name])
    assert run_cli(["status", str(path)]) == 2
    told = capsys.readouterr().err
    assert str(path) in told and "Traceback" not in told
    assert not (tmp_path / "owned").exists() and not Path("owned").exists()


def laughs(levels: int, wide: int = 9) -> str:
    lines = ["a0: &a0 [" + ",".join("x" * wide) + "]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * wide)}]" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


def test_a_few_lines_that_mean_billions_are_refused_at_once() -> None:
    begun = time.monotonic()
    for levels in (6, 12, 200):
        with pytest.raises(ConfigError, match="repeat more than 10,000 values"):
            parse_config(laughs(levels) + f"study: *a{levels - 1}", "study.yaml")
        with pytest.raises(StoreError, match="s3://b/x is no InputArtifacts"):
            read_record(InputArtifacts, laughs(levels).encode(), "s3://b/x")
    assert time.monotonic() - begun < 20
    assert load_yaml(laughs(3))["a2"][8][8] == list("x" * 9)
    assert load_yaml("- &a {x: 1}\n- *a\n- <<: *a\n  y: 2") == [
        {"x": 1},
        {"x": 1},
        {"x": 1, "y": 2},
    ]


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_any_text_is_yaml_or_a_yaml_error(text: str | bytes) -> None:
    try:
        found = load_yaml(text)
    except yaml.YAMLError:
        return
    assert yaml.safe_dump(found), "this refuses what is no plain data"


# --- names that could lead out of a folder

ESCAPES = ["../x", "../../etc/passwd", "/etc/passwd", "a/../../x", "C:\\x", "..", "~/x"]
ESCAPES += ["a/b", "a\n", ".hidden", "builtin:../x", "file:///etc/passwd", "..\\x"]


@pytest.mark.parametrize("name", ESCAPES)
@pytest.mark.parametrize("where", ["facets.prompt", "facets.rubric", "study"])
def test_a_name_that_could_leave_its_folder_is_refused_with_its_path(name: str, where: str) -> None:
    section, _, key = where.partition(".")
    extra = {section: {key: [name]}} if key else {section: name}
    text = yaml.safe_dump(study_yaml(extra=extra))
    with pytest.raises(ConfigError, match=re.escape(f"{where}{'[0]' if key else ''}: ")):
        parse_config(text, "study.yaml")


@pytest.mark.parametrize("name", [*ESCAPES, ""])
def test_experiments_have_names_of_letters(name: str) -> None:
    assert not is_experiment_name(name)


@pytest.mark.parametrize("key", ["../x", "a/../../x", "/etc/x", "..", "logs/../../x/y"])
def test_no_key_leads_out_of_a_folder(tmp_path: Path, key: str) -> None:
    backend, outside = LocalBackend(tmp_path / "in"), tmp_path / "x"
    outside.write_text("outside")
    for act in (
        lambda: backend.read(key),
        lambda: backend.update(key, lambda _: b"x"),
        lambda: backend.create(key, b"x"),
        lambda: backend.delete(key),
        lambda: backend.upload(outside, key),
        lambda: backend.move("a", key),
        lambda: backend.list(key),
        lambda: backend.local_copy(key),
    ):
        with pytest.raises(StoreError, match="would lead out of"):
            act()
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert outside.read_text() == "outside"


def test_an_object_whose_name_leads_out_is_not_fetched(
    s3_location: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = open_backend(s3_location)
    monkeypatch.setattr(backend, "get", lambda *_, **__: pytest.fail("fetched"))
    for key in ("logs/running/../../../../../../tmp/evil.eval", "/tmp/evil.eval"):
        with pytest.raises(StoreError, match="not fetched"):
            backend.local_copy(key)


def test_item_ids_and_answers_are_no_paths(tmp_path: Path, serve: Serve) -> None:
    serve(reply=lambda _: "../../../escaped.txt\n/etc/passwd ANSWER: ../x")
    config = declare(tmp_path / "study", items=3)
    items = [
        {"id": id, "question": "What?", "answer": "../x", "scheme": "", "topic": "../t"}
        for id in ("../../../escaped", "/etc/passwd", "a\x00b\n..")
    ]
    text = "".join(json.dumps(item) + "\n" for item in items)
    (tmp_path / "study" / "items.jsonl").write_text(text)
    run_stages(config)
    assert len(rows(config, "gradings")) == 6
    assert [path.name for path in tmp_path.iterdir()] == ["study"]
    home = results_dir(config)
    known = re.compile(r"[\w.:+-]+")
    for path in home.rglob("*"):
        assert all(known.fullmatch(part) for part in path.relative_to(home).parts), path


@pytest.mark.parametrize(
    "text",
    ["{input.__class__}", "{0}", "{input!r}", "{{input}}", "{% raw %}", "{input[0]}", "%s$x"],
)
def test_a_template_runs_nothing(text: str) -> None:
    class Trap(str):
        def __format__(self, spec: str) -> str:
            raise AssertionError("formatted")

    shown = render(text, {"input": Trap("X")})
    assert shown == text.replace("{input}", "X")


# --- secrets


@pytest.mark.parametrize("text", PLANTED)
def test_planted_keys_are_left_out(text: str) -> None:
    for shown in (redacted(text), str(ItemevalAssetsError(text)), redacted({"a": [text]})["a"][0]):
        assert KEY not in shown and "(redacted)" in shown
        assert redacted(shown) == shown


@pytest.mark.parametrize("key", FORMS)
def test_forms_that_only_keys_have(key: str) -> None:
    assert redacted(f"before {key} after") == "before (redacted) after"
    assert redacted(f"'{key}'") == "'(redacted)'"


def test_a_private_key() -> None:
    text = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----\nafter"
    assert redacted(text) == "(redacted)\nafter"


@pytest.mark.parametrize(
    "text",
    [
        "solvers.api_key: unknown key 'api_key'; did you mean 'cache'?",
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
        "the context length is 128000 tokens; your messages have 130001 tokens: max_tokens: 128000",
        "token limit reached; the key 'id' is given twice; Basic arithmetic; Bear with me",
        "s3://bucket/prefix/a@b, /home/me/study.yaml, https://host:8080/v1?x=1",
    ],
)
def test_ordinary_messages_stay(text: str) -> None:
    assert redacted(text) == text


def test_keys_of_the_environment_are_left_out_whatever_they_look_like() -> None:
    environment = {
        "ACME_API_KEY": PLAIN_KEY,
        "ACME_TOKEN": f"{PLAIN_KEY}-longer",
        "ITEMEVAL_ASSETS_WEBHOOK_URL": "https://chat.example/path/of/it",
        "HOME": "/home/me",
        "SHORT_KEY": "on",
    }
    text = f"{PLAIN_KEY}-longer {PLAIN_KEY} https://chat.example/path/of/it /home/me on"
    assert without_secrets(text, environment) == "(redacted) (redacted) (redacted) /home/me on"


@pytest.mark.parametrize("victim", ["m", pytest.param("judge", marks=pytest.mark.long)])
def test_a_provider_that_says_the_key_back_puts_it_into_no_table(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch, victim: str
) -> None:
    says = f"no such key {PLAIN_KEY}; Authorization: Bearer {KEY}; https://me:{KEY}@host " * 30
    server = serve(reply=lambda r: error_answer(400, says) if r.model == victim else None)
    monkeypatch.setenv("TEST_API_KEY", PLAIN_KEY)
    config = declare(tmp_path, items=2, scorer=None)
    run_stages(config)
    assert server.count(victim) == 2
    table = "solutions" if victim == "m" else "gradings"
    errors = [row["error"] for row in rows(config, table)]
    assert all("no such key (redacted)" in error for error in errors)
    home = results_dir(config)
    for path in (path for path in home.rglob("*") if path.is_file() and path.suffix != ".eval"):
        for secret in (KEY, PLAIN_KEY):
            assert secret.encode() not in path.read_bytes(), path
    for name in ("solutions", "gradings", "gradings_long"):
        assert KEY not in str(rows(config, name)) and PLAIN_KEY not in str(rows(config, name))


def test_a_secret_in_two_parts_by_the_cut_of_a_long_error() -> None:
    from itemeval_assets.engine.rows import LONGEST_ERROR, _told

    for before in range(LONGEST_ERROR - len(KEY), LONGEST_ERROR):
        text = "x" * (before - 30) + f" Authorization: Bearer {KEY}"
        assert KEY[:4] not in _told(text)


def test_an_endpoint_with_a_password_is_told_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://me:{KEY}@127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", PLAIN_KEY)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("ITEMEVAL_ASSETS_S3_MAX_ATTEMPTS", "1")
    from itemeval_assets.storage.objects.s3 import S3Backend

    with pytest.raises(StoreError, match="cannot read s3://bucket/x") as told:
        S3Backend(*split_s3("s3://bucket"), s3_client()).read("x")
    assert KEY not in str(told.value) and PLAIN_KEY not in str(told.value)


def test_a_refused_run_leaves_no_key_in_dagster(
    tmp_path: Path,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An error of ours, caused by one that quotes a key, in Dagster's whole history."""
    from itemeval_assets.stages import items

    def fails(*_: Any, **__: Any) -> Any:
        try:
            raise OSError(f"https://me:{KEY}@host refused")
        except OSError as error:
            raise StoreError(f"cannot read: {error}") from error

    serve()
    config = declare(tmp_path, items=1)
    monkeypatch.setattr(items, "load", fails)
    assert run_cli(["run", str(config)]) == 2
    told = capsys.readouterr()
    assert "cannot read: https://(redacted)@host" in told.err
    assert KEY not in told.err + told.out
    files = [path for path in Path(os.environ["DAGSTER_HOME"]).rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert KEY.encode() not in path.read_bytes(), path


def test_a_manifest_holds_no_key(tmp_path: Path, serve: Serve, monkeypatch: Any) -> None:
    serve()
    config = declare(
        tmp_path, items=1, solvers={"provider_routing": {"api_key": KEY, "order": [1]}}
    )
    monkeypatch.setattr(
        "itemeval_assets.engine.calls.models.get_model",
        lambda model, memoize, **_: __import__("inspect_ai.model", fromlist=["x"]).get_model(
            model, memoize=memoize
        ),
    )
    run_stages(config)
    manifests = list((results_dir(config) / "manifests").glob("*.json"))
    assert manifests
    for path in manifests:
        assert KEY not in path.read_text()
        assert '"api_key": "(redacted)"' in path.read_text()


# --- spreadsheets


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "'=1"]
)
def test_formulas_are_shown(text: str) -> None:
    assert shown_of(text) == f"'{text}"


def shown_of(text: str) -> str:
    rows = pa.table({"text": [None, text], "number": [-1.5, None]})
    shown = for_spreadsheet(rows)
    assert shown.schema == rows.schema and shown["number"] == rows["number"]
    assert shown["text"][0].as_py() is None
    return shown["text"][1].as_py()


@given(st.text())
def test_spreadsheet_texts_start_with_no_formula_and_come_back(text: str) -> None:
    shown = shown_of(text)
    assert not shown.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert (shown[1:] if shown.startswith("'") else shown) == text


def test_an_export_for_spreadsheets_stands_beside_the_exact_one(tmp_path: Path) -> None:
    config = write_study(tmp_path, graders=[])
    item = {"id": "=1+1", "question": "What is 1 + 1?", "answer": "2", "scheme": "", "topic": ""}
    (tmp_path / "items.jsonl").write_text(json.dumps(item))
    api.run(config)
    exports = results_dir(config) / "export"
    made = {name: exports / f"{name}_for_spreadsheets.csv" for name in ("gradings_long", "cells")}
    assert not any(path.exists() for path in made.values())
    assert run_cli(["export", str(config), "--for-spreadsheets"]) == 0
    for name, path in made.items():
        exact, shown = (exports / f"{name}.csv").read_text(), path.read_text()
        changed = [
            (before, after)
            for before, after in zip(cells_of(exact), cells_of(shown), strict=True)
            if before != after
        ]
        assert changed and all(after == f"'{before}" for before, after in changed)
    api.export(config)  # they would no longer say what the others say
    assert not any(path.exists() for path in made.values())


def cells_of(text: str) -> list[str]:
    return [cell for row in csv.reader(io.StringIO(text)) for cell in row]


def test_own_scorers_run_in_runs_alone(tmp_path: Path) -> None:
    """Not where a study is loaded, looked at, or becomes definitions; and beside the study."""
    mark = tmp_path / "ran"
    (tmp_path / "mine.py").write_text(
        f"import os\nopen({str(mark)!r}, 'a').write(f'{{os.getpid()}} ')\n\n"
        "def score(solution, target, metadata):\n    return 1\n"
    )
    entry = {"type": "python", "function": "mine.py:score"}
    config = write_study(tmp_path, scorer=["mine"], graders=[], extra={"scorers": {"mine": entry}})
    build_definitions(Settings(), [load_study(config)]).resolve_asset_graph()
    api.estimate(config)
    api.status(config)
    assert not mark.exists()
    api.run(config)
    ran_in = mark.read_text().split()
    assert ran_in and str(os.getpid()) not in ran_in
    mark.unlink()
    figures.scores(config)
    api.export(config)
    assert api.run(config).calls == 0 and not mark.exists()


def test_studies_of_others_are_loaded_without_being_run(tmp_path: Path) -> None:
    config = write_study(tmp_path, prompts=["short"])
    (tmp_path / "prompts" / "solver" / "short.md").write_text("{input} {__import__('os')} `id`")
    assert "{__import__('os')} `id`" in load_study(config).design.generate[0].prompt.text
