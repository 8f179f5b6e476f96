"""What is asked of the webserver, as its own pages ask it: over GraphQL."""

import json
import urllib.request
from collections.abc import Collection
from typing import Any

__all__ = ["launch"]

LAUNCH = """
mutation ($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}"""
ASSETS = """{ assetNodes { assetKey { path } } }"""


def launch(ui: str, assets: Collection[str]) -> str:
    """Ask for every partition of these assets; the id of the backfill."""
    keys = [node["assetKey"] for node in ask(ui, ASSETS)["assetNodes"]]
    keys = [key for key in keys if key["path"][-1] in assets]
    params = {"assetSelection": keys, "allPartitions": True, "tags": []}
    reply = ask(ui, LAUNCH, params=params)["launchPartitionBackfill"]
    if "backfillId" not in reply:
        raise RuntimeError(f"the backfill was not launched: {reply}")
    return reply["backfillId"]


def ask(ui: str, query: str, **variables: Any) -> dict[str, Any]:
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{ui}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)["data"]
