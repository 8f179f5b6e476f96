"""Who may talk to the web UI: its own pages, and programs that are no browser.

Dagster's web server asks nobody for a password, and a browser sends what any page wants to any
address. What no page can choose are the headers Host, Origin and Sec-Fetch-*: they decide.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .addresses import SETTING, Addresses


def refusal(kind: str, method: str, headers: Headers, allowed: Addresses) -> str | None:
    """Why a request is refused; None where it is answered.

    `kind` is http or websocket. A browser names the page that sends a request in Origin, and
    says in Sec-Fetch-Site how near that page is where it sends no Origin. A program sends neither.
    """
    hosts = headers.getlist("host")
    if len(hosts) != 1 or hosts[0].lower() not in allowed.hosts:
        return f"the UI is not served under this Host; {SETTING} names further addresses"
    origins = headers.getlist("origin")
    if any(origin.lower() not in allowed.origins for origin in origins):
        return f"a page of another origin may not use the UI; {SETTING} names further ones"
    if origins or headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return None
    # A link of another page may lead here, but no page may embed or load what is here.
    is_link = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == (
        "navigate",
        "document",
    )
    if kind == "http" and method in ("GET", "HEAD") and is_link:
        return None
    return "a page of another site may link to the UI, and no more"


class Guard:
    """ASGI middleware: refuses what `refusal` names, and forbids other pages to frame the UI."""

    def __init__(self, app: ASGIApp, allowed: Addresses) -> None:
        self.app = app
        self.allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):  # the server's own start and end
            await self.app(scope, receive, send)
            return

        async def unframed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Frame-Options"] = "SAMEORIGIN"
            await send(message)

        kind, method = scope["type"], scope.get("method", "GET")
        why = refusal(kind, method, Headers(scope=scope), self.allowed)
        if why is None:
            await self.app(scope, receive, unframed)
        elif kind == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": why})
        else:
            refused = PlainTextResponse(f"{why}\n", 403, {"X-Content-Type-Options": "nosniff"})
            await refused(scope, receive, send)
