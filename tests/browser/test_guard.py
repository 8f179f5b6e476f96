"""Who can start a run: the UI's own page, and no page of anybody else, in a real browser."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.browser.demo import CHROMIUM, browser_page, hide_navigation, served_ui
from tests.studies import write_study

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"chromium is not installed at {CHROMIUM}"),
]
# What a person may call a folder, and patterns of the settings are made of.
FOLDER = "a [b] c:d é"
LAUNCH = """mutation { launchRun(executionParams: {
  selector: {
    repositoryLocationName: "itemeval_assets.definitions", repositoryName: "__repository__",
    jobName: "__ASSET_JOB", assetSelection: [{path: ["toy", "items"]}]
  }
}) { __typename ... on PythonError { message } } }"""
RUNS = "{ runsOrError { ... on Runs { results { status } } } }"
# Every way in which a page can send something to another address.
ATTACK = """<!doctype html><body><iframe name=hole></iframe><script>
const ui = %s, query = %s, told = {};
const at = ui + '/graphql?query=' + encodeURIComponent(query);
const socket = () => new Promise(done => {
  const ws = new WebSocket(ui.replace('http', 'ws') + '/graphql', 'graphql-ws');
  ws.onclose = () => done('closed');
  ws.onopen = () => {
    ws.send(JSON.stringify({type: 'connection_init'}));
    ws.send(JSON.stringify({type: 'start', id: '1', payload: {query}}));
    setTimeout(() => done('open'), 2000);
  };
});
const posted = (options) => fetch(at, {method: 'POST', ...options})
  .then(reply => reply.type + reply.status, () => 'refused');
const form = type => new Promise(done => {
  const form = document.createElement('form');
  Object.assign(form, {action: at, method: 'POST', enctype: type, target: 'hole'});
  document.body.append(form); form.submit(); setTimeout(() => done('sent'), 1000);
});
const image = () => new Promise(done => {
  const image = new Image(); image.onerror = image.onload = () => done('sent'); image.src = at;
});
(async () => {
  told.json = await posted({headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({query})});
  told.text = await posted({mode: 'no-cors', headers: {'Content-Type': 'text/plain'}, body: query});
  told.multipart = await form('multipart/form-data');
  told.plain = await form('text/plain');
  told.image = await image();
  told.socket = await socket();
  document.title = JSON.stringify(told);
})();
</script>"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """The UI of a study that never ran; its address, and the process of the command."""
    folder = tmp_path_factory.mktemp("guard") / FOLDER
    with served_ui(write_study(folder)) as (address, process):
        yield address, process.pid


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browser_page() as page:
        page.set_default_timeout(30_000)
        yield page


def ask(address: str, query: str, **headers: str) -> dict[str, Any]:
    """Ask as a program does, which is no browser."""
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(
        f"{address}/graphql", body, {"Content-Type": "application/json", **headers}
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)["data"]


def runs(address: str) -> list[dict[str, str]]:
    return ask(address, RUNS)["runsOrError"]["results"]


@contextmanager
def foreign_page(address: str) -> Iterator[int]:
    """A web server of somebody else on this machine, whose page attacks the UI; its port."""
    html = (ATTACK % (json.dumps(address), json.dumps(LAUNCH))).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(html)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "evil.localhost"])
def test_a_page_of_another_origin_starts_no_run(served, page: Page, host: str) -> None:
    address, _ = served
    with foreign_page(address) as port:
        page.goto(f"http://{host}:{port}/")
        page.wait_for_function("document.title.startsWith('{')", timeout=30_000)
    told = json.loads(page.title())
    assert told["json"] == "refused" and told["text"] == "opaque0" and told["socket"] == "closed"
    assert runs(address) == []


def test_a_name_that_leads_to_this_machine_is_no_way_in(served, page: Page) -> None:
    address, _ = served
    port = address.rpartition(":")[2]
    reply = page.goto(f"http://evil.localhost:{port}/")
    assert reply is not None and reply.status == 403
    for host in (f"evil.example:{port}", "evil.example", "127.0.0.1:1"):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            ask(address, RUNS, Host=host)


def test_the_page_of_the_ui_starts_a_run(served, page: Page) -> None:
    """With the same request that others are refused."""
    address, _ = served
    hide_navigation(page, address)
    launched = page.evaluate(
        """async query => (await fetch('/graphql', {
            method: 'POST', headers: {'Content-Type': 'application/json'},
            body: JSON.stringify({query})})).text()""",
        LAUNCH,
    )
    assert "LaunchRunSuccess" in launched
    assert len(runs(address)) == 1
    page.goto(f"{address}/runs")
    expect(page.get_by_text("Success", exact=True)).to_have_count(1, timeout=120_000)


def test_a_signal_to_the_command_leaves_no_process(served) -> None:
    """Web server, daemon, code server and its child: five processes."""
    _, pid = served
    command = psutil.Process(pid)
    family = [command, *command.children(recursive=True)]
    assert len(family) >= 5
    command.terminate()
    ended, alive = psutil.wait_procs(family, 60)
    assert alive == []
    assert [process.wait() for process in ended if process.pid == pid] == [0]
