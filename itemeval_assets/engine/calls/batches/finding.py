"""Asks a provider whether it has a batch whose id nobody stored: its process ended too early."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from itemeval_assets.core.records.batches import KeptBatch

# The clocks of provider and machine differ.
_SLACK_S = 3600.0
_PER_PAGE = 100


class CannotTell(Exception):
    """The provider has no way to find a batch without its id, or more than one may be it."""


async def batch_of(batcher: Any, batch: KeptBatch, known: Collection[str]) -> str | None:
    """The id of a batch that was being sent; null where the provider has none.

    `known`: the ids of other batches. Raises CannotTell, and what the provider's client raises.
    """
    takes_files = hasattr(batcher, "_submit_batch_for_file")
    if takes_files and batch.file_id is None:
        return None  # its process ended before it could ask for the batch
    if client := getattr(batcher, "_openai_client", None):
        return await _by_file(client, batch)
    client = getattr(batcher, "_client", None)
    if hasattr(getattr(client, "messages", None), "batches"):
        return await _by_size(client, batch, known)
    raise CannotTell("this provider finds no batch without its id")


async def _by_file(client: Any, batch: KeptBatch) -> str | None:
    """OpenAI's batches name the file that they were made of."""
    async for found in client.batches.list(limit=_PER_PAGE):
        if found.input_file_id == batch.file_id:
            return found.id
        if found.created_at < _earliest(batch):
            break
    return None


async def _by_size(client: Any, batch: KeptBatch, known: Collection[str]) -> str | None:
    """Anthropic's batches tell when they were made, and how many lines they have."""
    candidates = []
    async for found in client.messages.batches.list(limit=_PER_PAGE):
        if found.created_at.timestamp() < _earliest(batch):
            break
        size = sum(found.request_counts.model_dump().values())
        if size == len(batch.lines) and found.id not in known:
            candidates.append(found)
    mine = [found for found in candidates if await _may_be(client, found, batch)]
    if len(mine) > 1:
        raise CannotTell(f"it may be one of {', '.join(found.id for found in mine)}")
    return mine[0].id if mine else None


async def _may_be(client: Any, found: Any, batch: KeptBatch) -> bool:
    """Whether a batch has these lines; of one at work nobody can say yet."""
    if found.processing_status != "ended":
        return True
    async for line in await client.messages.batches.results(found.id):
        return line.custom_id in batch.lines
    return False


def _earliest(batch: KeptBatch) -> float:
    made = datetime.strptime(batch.created_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return made.timestamp() - _SLACK_S
