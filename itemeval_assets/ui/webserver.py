"""Dagster's web server behind the guard; `python -m itemeval_assets.ui.webserver` for a deployment.

It takes the place of `dagster-webserver`, where daemon, code location and web server are
processes of their own.
"""

import argparse
import socket
import sys
from asyncio import Task
from typing import Any

import dagster as dg
import uvicorn
from dagster._cli.utils import get_instance_for_cli
from dagster._core.workspace.context import WorkspaceProcessContext, WorkspaceRequestContext
from dagster._core.workspace.load_target import WorkspaceFileTarget, WorkspaceLoadTarget
from dagster_webserver.cli import (
    DEFAULT_DB_STATEMENT_TIMEOUT,
    DEFAULT_POOL_MAX_OVERFLOW,
    DEFAULT_POOL_RECYCLE,
)
from dagster_webserver.version import __version__
from dagster_webserver.webserver import DagsterWebserver
from graphql import GraphQLError, GraphQLFormattedError, OperationType, parse
from graphql.language import OperationDefinitionNode
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket

from itemeval_assets.core.errors import ItemevalAssetsError
from itemeval_assets.settings import Settings

from .addresses import OWN_HOSTS, Addresses
from .guard import Guard

_POLL_MS = 2000
# A page that is open holds its websocket; the server does not wait for it at the end.
_GOODBYE_S = 2


class GuardedWebserver(DagsterWebserver[WorkspaceProcessContext, WorkspaceRequestContext]):
    """Dagster's web server, for pages of its own addresses; it changes nothing on a GET."""

    def __init__(
        self, context: WorkspaceProcessContext, allowed: Addresses, path_prefix: str = ""
    ) -> None:
        self._allowed = allowed
        super().__init__(context, path_prefix, _POLL_MS)

    def build_middleware(self) -> list[Middleware]:
        return [Middleware(Guard, allowed=self._allowed), *super().build_middleware()]

    async def execute_graphql_request(
        self,
        request: Request,
        query: str,
        variables: dict[str, Any] | None,
        operation_name: str | None,
    ) -> JSONResponse:
        if request.method != "POST" and _operations(query) - {OperationType.QUERY}:
            refused = {"message": "a GET changes nothing: send a mutation by POST"}
            return JSONResponse({"errors": [refused]}, 405, {"Allow": "POST"})
        return await super().execute_graphql_request(request, query, variables, operation_name)

    async def execute_graphql_subscription(
        self,
        websocket: WebSocket,
        operation_id: str,
        query: str,
        variables: dict[str, Any] | None,
        operation_name: str | None,
    ) -> tuple[Task[Any] | None, GraphQLFormattedError | None]:
        if _operations(query) - {OperationType.SUBSCRIPTION}:
            refused = GraphQLError("a websocket is for subscriptions: send the others by POST")
            return None, refused.formatted
        return await super().execute_graphql_subscription(
            websocket, operation_id, query, variables, operation_name
        )


def _operations(query: str) -> set[OperationType]:
    """The kinds of operation in a document; none of one that Dagster will refuse as no GraphQL."""
    try:
        nodes = parse(query).definitions
    except GraphQLError:
        return set()
    return {node.operation for node in nodes if isinstance(node, OperationDefinitionNode)}


def serve_pages(
    instance: dg.DagsterInstance,
    target: WorkspaceLoadTarget,
    listener: socket.socket,
    allowed: Addresses,
    path_prefix: str = "",
) -> None:
    """Serve until SIGTERM or SIGINT, which is raised again as what it was."""
    instance.optimize_for_webserver(
        DEFAULT_DB_STATEMENT_TIMEOUT, DEFAULT_POOL_RECYCLE, DEFAULT_POOL_MAX_OVERFLOW
    )
    with WorkspaceProcessContext(instance, target, version=__version__) as context:
        app = GuardedWebserver(context, allowed, path_prefix).create_asgi_app()
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=_GOODBYE_S)
        uvicorn.Server(config).run(sockets=[listener])


def main() -> None:
    """Serve the code locations of a workspace file, under the instance of DAGSTER_HOME."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {__spec__.name}", description=main.__doc__, add_help=False
    )
    parser.add_argument("--help", action="help")
    parser.add_argument("-h", "--host", default=OWN_HOSTS[0], help="where to listen")
    parser.add_argument("-p", "--port", type=int, default=3000)
    parser.add_argument("-w", "--workspace", action="append", required=True, help="its YAML file")
    parser.add_argument("-l", "--path-prefix", default="", help="where a proxy shows it: /dagster")
    asked = parser.parse_args()
    try:
        allowed = Addresses.of(asked.port, Settings().ui_addresses())
        with (
            get_instance_for_cli() as instance,
            socket.create_server((asked.host, asked.port)) as listener,
        ):
            serve_pages(
                instance, WorkspaceFileTarget(asked.workspace), listener, allowed, asked.path_prefix
            )
    except ItemevalAssetsError as error:
        sys.exit(f"{parser.prog}: {error}")


if __name__ == "__main__":
    main()
