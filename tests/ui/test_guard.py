"""Which requests the web UI answers."""

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.ui.addresses import Addresses
from itemeval_assets.ui.guard import Guard, refusal

if TYPE_CHECKING:
    from itemeval_assets.ui.webserver import GuardedWebserver

ALLOWED = Addresses.of(3000, ["https://evals.example.org", "http://[::1]:3000/path"])
OWN = {"host": "127.0.0.1:3000"}
LINK = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


def answers(kind: str, method: str, **headers: str) -> bool:
    named = {name.replace("_", "-"): value for name, value in {**OWN, **headers}.items()}
    return refusal(kind, method, Headers(named), ALLOWED) is None


@pytest.mark.parametrize(
    ("host", "answered"),
    [
        ("127.0.0.1:3000", True),
        ("LOCALHOST:3000", True),
        ("evals.example.org", True),
        ("evals.example.org:443", True),
        ("[::1]:3000", True),
        ("127.0.0.1", False),
        ("127.0.0.1:3001", False),
        ("evil.example:3000", False),
        ("evil.localhost:3000", False),
        ("evals.example.org.evil.example", False),
        ("evals.example.org:80", False),
        ("localhost:3000@evil.example", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_only_known_hosts_are_answered(kind: str, host: str, answered: bool) -> None:
    assert answers(kind, "GET", host=host) is answered


@pytest.mark.parametrize("names", [[], ["127.0.0.1:3000", "127.0.0.1:3000"]])
def test_a_request_names_its_host_once(names: list[str]) -> None:
    headers = Headers(raw=[(b"host", name.encode()) for name in names])
    assert refusal("http", "GET", headers, ALLOWED) is not None


@pytest.mark.parametrize(
    ("origin", "answered"),
    [
        ("http://127.0.0.1:3000", True),
        ("http://localhost:3000", True),
        ("https://evals.example.org", True),
        ("https://127.0.0.1:3000", False),
        ("http://127.0.0.1:3001", False),
        ("http://127.0.0.1", False),
        ("http://evals.example.org", False),
        ("http://localhost:3000.evil.example", False),
        ("http://evil.localhost:3000", False),
        ("null", False),
        ("", False),
    ],
)
@pytest.mark.parametrize(("kind", "method"), [("http", "GET"), ("http", "POST"), ("websocket", "")])
def test_only_pages_of_known_origins_are_answered(
    kind: str, method: str, origin: str, answered: bool
) -> None:
    assert answers(kind, method, origin=origin) is answered


def test_of_two_origins_both_have_to_be_known() -> None:
    both = [(b"origin", b"http://127.0.0.1:3000"), (b"origin", b"http://evil.example")]
    headers = Headers(raw=[(b"host", b"127.0.0.1:3000"), *both])
    assert refusal("http", "POST", headers, ALLOWED) is not None


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_programs_that_are_no_browser_are_answered(kind: str, method: str) -> None:
    assert answers(kind, method)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_without_an_origin_another_site_may_link_and_no_more(site: str) -> None:
    assert answers("http", "GET", sec_fetch_site=site, **LINK)
    frame = {**LINK, "sec-fetch-dest": "iframe"}
    for method, headers in (("POST", LINK), ("GET", frame), ("GET", {"sec-fetch-mode": "no-cors"})):
        assert not answers("http", method, sec_fetch_site=site, **headers)
    assert not answers("websocket", "", sec_fetch_site=site, **LINK)


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_own_pages_and_typed_addresses_are_answered(site: str) -> None:
    assert answers("http", "GET", sec_fetch_site=site)


@pytest.mark.parametrize(
    "text", ["evals.example.org", "*", "http://*.example.org", "ftp://x", "http://u:p@x", "http://"]
)
def test_a_wrong_address_is_named(text: str) -> None:
    with pytest.raises(ConfigError, match=r"ITEMEVAL_ASSETS_UI_ORIGINS: .*as a browser shows it"):
        Addresses.of(3000, [text])


@pytest.fixture
def client() -> TestClient:
    async def page(request: Request) -> PlainTextResponse:
        return PlainTextResponse("answered")

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    app = Starlette(routes=[Route("/", page, methods=["GET", "POST"]), WebSocketRoute("/", socket)])
    return TestClient(Guard(app, ALLOWED), base_url="http://127.0.0.1:3000")


def test_what_is_refused_does_not_reach_the_server(client: TestClient) -> None:
    refused = client.post("/", headers={"Origin": "http://evil.example"})
    assert refused.status_code == 403 and "of another origin" in refused.text
    with (
        pytest.raises(WebSocketDisconnect) as closed,
        client.websocket_connect(
            "/", headers={"Host": OWN["host"], "Origin": "http://evil.example"}
        ),
    ):
        pass
    assert closed.value.code == 1008
    with client.websocket_connect("/", headers={"Host": OWN["host"]}):
        pass


def test_nobody_else_may_frame_what_is_answered(client: TestClient) -> None:
    reply = client.get("/")
    assert reply.text == "answered" and reply.headers["X-Frame-Options"] == "SAMEORIGIN"


@pytest.fixture(scope="module")
def webserver() -> "GuardedWebserver":
    """One without a workspace: what is refused needs none."""
    from itemeval_assets.ui.webserver import GuardedWebserver

    return GuardedWebserver(cast(Any, None), ALLOWED)


@pytest.mark.parametrize(
    "query",
    [
        "mutation { launchRun { __typename } }",
        "query A { version } mutation B { launchRun { __typename } }",
    ],
)
def test_a_get_changes_nothing(webserver: "GuardedWebserver", query: str) -> None:
    client = TestClient(webserver.create_asgi_app(), base_url="http://localhost:3000")
    reply = client.get("/graphql", params={"query": query, "operationName": "B"})
    assert reply.status_code == 405 and "by POST" in reply.text


def test_a_websocket_changes_nothing(webserver: "GuardedWebserver") -> None:
    query = "mutation { launchRun { __typename } }"
    task, error = asyncio.run(
        webserver.execute_graphql_subscription(cast(Any, None), "1", query, None, None)
    )
    assert task is None and "by POST" in str(error)
