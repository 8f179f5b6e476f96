"""Batches that outlive their process: what inspect's batchers send is kept in the study.

inspect_ai has the ids of batches in memory. Here each is stored before the wait for its answers,
and a request that is a line of a stored batch joins that batch and is not sent again.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import anyio
from inspect_ai.model import ModelUsage
from inspect_ai.model._providers.util.batch import Batch, Batcher, BatchRequest
from inspect_ai.model._providers.util.hooks import HttpxHooks

from itemeval_assets.core.records.batches import Call, KeptBatch, NewLine
from itemeval_assets.engine.calls.in_flight.call import line_at_work
from itemeval_assets.engine.calls.in_flight.ended import CallEnded

from .billed import usage_of
from .finding import CannotTell, batch_of
from .keeper import Keeper
from .problems import NO_ANSWER, is_refusal, unknown, unseen

# The provider has no such batch, or does not show it to this key.
_OUT_OF_REACH = (401, 403, 404)
_KEPT = "kept_by_itemeval_assets"

# inspect runs one eval at a time per process.
_keeper: Keeper | None = None


class NotCollected(CallEnded):
    """A call was sent in a batch, and its answer cannot be had. It is not sent again."""


@contextmanager
def batches_kept_by(keeper: Keeper) -> Iterator[None]:
    """Keep what is sent in batches while the block runs, and take answers of kept ones."""
    global _keeper
    usual = Batcher.generate_for_request

    async def generate(self: Any, request: dict[str, Any]) -> Any:
        if not hasattr(self, _KEPT):
            setattr(self, _KEPT, _Kept(self))
        with getattr(self, _KEPT).calling(request):
            return await usual(self, request)

    Batcher.generate_for_request = generate  # type: ignore[method-assign]
    _keeper = keeper
    try:
        yield
    finally:
        Batcher.generate_for_request = usual  # type: ignore[method-assign]
        _keeper = None


class _Kept:
    """What is done beside the usual work of one batcher, some of whose methods it wraps."""

    def __init__(self, batcher: Any) -> None:
        self._batcher = batcher
        # By the identity of the request that waits.
        self._lines: dict[int, NewLine] = {}
        # The requests of the batch that is being sent, and its name.
        self._sending: tuple[list[BatchRequest[Any]], str] | None = None
        self._process = self._wrap("_process_intake_queue", self.process)
        self._create = self._wrap("_create_batch", self.create)
        self._submit = self._wrap("_submit_batch_for_file", self.submit)
        self._check = self._wrap("_check_batch", self.check)
        self._wrap("_resolve_inflight_batch", self.resolve)

    def _wrap(self, method: str, ours: Callable[..., Any]) -> Any:
        usual = getattr(self._batcher, method, None)
        if usual is not None:
            setattr(self._batcher, method, ours)
        return usual

    @contextmanager
    def calling(self, request: dict[str, Any]) -> Iterator[None]:
        """Know what a request is for, while it waits for its answer."""
        if line := line_at_work():
            self._lines[id(request)] = line
        try:
            yield
        finally:
            self._lines.pop(id(request), None)

    async def process(self) -> bool:
        """As inspect does; before, requests join the kept batches that they are lines of."""
        if _keeper is not None:
            await self._join(_keeper)
        return await self._process()

    async def _join(self, keeper: Keeper) -> None:
        """Until nothing waits that was not looked at: more comes in while a provider is asked."""
        looked_at = set[int]()
        while new := self._intake(looked_at):
            calls = {key: line.call for key in new if (line := self._lines.get(key))}
            for batch in keeper.without_id(calls.values()):
                await self._find(keeper, batch)
            await self._give(keeper, new, calls)
            self._look_at_superseded(keeper)
            looked_at |= new.keys()

    def _intake(self, looked_at: Collection[int]) -> dict[int, BatchRequest[Any]]:
        waiting = {id(request.request): request for request in self._batcher._intake_queue}
        return {key: request for key, request in waiting.items() if key not in looked_at}

    async def _give(
        self, keeper: Keeper, waiting: Mapping[int, BatchRequest[Any]], calls: Mapping[int, Call]
    ) -> None:
        """Requests to the batches that they are lines of; those without an answer fail."""
        joined = keeper.take(calls)
        lost = keeper.lost({key: call for key, call in calls.items() if key not in joined})
        self._batcher._intake_queue = [
            request
            for request in self._batcher._intake_queue
            if id(request.request) not in joined and id(request.request) not in lost
        ]
        for key, (batch_id, line_id) in joined.items():
            self._add(waiting[key], batch_id, line_id)
        for key, problem in lost.items():
            await self._fail([waiting[key]], problem)

    def _look_at_superseded(self, keeper: Keeper) -> None:
        """Let inspect ask for batches whose lines nobody takes: once they end, they are billed."""
        models = {line.model for line in self._lines.values()}
        for batch_id in keeper.with_superseded(models):
            self._batcher._inflight_batches.setdefault(batch_id, Batch(batch_id, {}))

    def _add(self, request: BatchRequest[Any], batch_id: str, line_id: str) -> None:
        request.custom_id = line_id
        request.submitted()
        in_flight = self._batcher._inflight_batches
        in_flight.setdefault(batch_id, Batch(batch_id, {})).requests[line_id] = request

    async def _find(self, keeper: Keeper, batch: KeptBatch) -> None:
        """Ask the provider for a batch whose process ended before its id was stored."""
        try:
            batch_id = await batch_of(self._batcher, batch, keeper.known_ids)
        except Exception as error:  # clients raise their own
            keeper.out_of_reach(batch.name, unknown(batch, error))
        else:
            keeper.made(batch.name, batch_id) if batch_id else keeper.not_made(batch.name)

    async def create(self, requests: list[BatchRequest[Any]]) -> str:
        """As inspect does; before it is stored what is sent, and afterwards its id.

        inspect comes again where it heard no answer: the provider may have made the batch.
        """
        keeper = _keeper
        lines = {
            _line_id(request): line
            for request in requests
            if (line := self._lines.get(id(request.request)))
        }
        if keeper is None or not lines:
            return await self._create(requests)
        if self._sending and self._sending[0] is requests:
            name = self._sending[1]
            batch_id = await self._made_unheard(keeper, name)
        else:
            name, batch_id = keeper.sending(lines), None
            self._sending = requests, name
        try:
            batch_id = batch_id or await self._create(requests)
        except Exception as error:  # clients raise their own
            if is_refusal(error):
                keeper.not_made(name)
                self._sending = None
            raise
        keeper.made(name, batch_id)
        self._sending = None
        return batch_id

    async def _made_unheard(self, keeper: Keeper, name: str) -> str | None:
        with suppress(CannotTell):
            return await batch_of(self._batcher, keeper.batch(name), keeper.known_ids)
        return None

    async def submit(self, file_id: str, *args: Any) -> str:
        """As inspect does; before, the file is noted that the batch is made of."""
        if _keeper is not None and self._sending:
            _keeper.uploaded(self._sending[1], file_id)
        return await self._submit(file_id, *args)

    async def check(self, batch: Batch[Any]) -> Any:
        """As inspect does; a batch that this key does not see is not asked for again."""
        try:
            found = await self._check(batch)
        except Exception as error:  # clients raise their own
            kept = _keeper and _keeper.of_id(batch.id)
            if not (_keeper and kept and getattr(error, "status_code", 0) in _OUT_OF_REACH):
                raise
            problem = unseen(kept, error)
            _keeper.out_of_reach(kept.name, problem)
            await self._fail(list(batch.requests.values()), problem)
            self._batcher._inflight_batches.pop(batch.id, None)
            return None
        # Some lines of the batch may be of calls that this run does not make.
        most = len(batch.requests)
        completed = min(found.completed_count, most)
        failed = min(found.failed_count, most - completed)
        return replace(found, completed_count=completed, failed_count=failed)

    async def resolve(self, batch: Batch[Any], results: Mapping[str, Any]) -> None:
        """Give the requests their answers; other lines of the batch are left to other runs."""
        delivered = []
        for line_id, request in batch.requests.items():
            request.submitted()
            # Who was told to stop does not listen any more.
            with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                answer = results.get(line_id, NotCollected(NO_ANSWER))
                await request.result_stream.send(answer)
                delivered.append(line_id)
        if _keeper is not None:
            _keeper.delivered(batch.id, delivered)
            _keeper.answered(batch.id, _used(results))
        self._batcher._inflight_batches.pop(batch.id, None)

    async def _fail(self, requests: list[BatchRequest[Any]], problem: str) -> None:
        await self._batcher._fail_all_requests(problem, requests, NotCollected(problem))


def _used(results: Mapping[str, Any]) -> dict[str, ModelUsage | None]:
    """What each answer used, as far as it says so; of a call that was refused nothing."""
    refused = dict.fromkeys(id for id, one in results.items() if isinstance(one, Exception))
    told = {id: usage_of(one) for id, one in results.items() if id not in refused}
    return {**refused, **{id: usage for id, usage in told.items() if usage}}


def _line_id(request: BatchRequest[Any]) -> str:
    """The id that a request will have in its batch."""
    headers = request.request.get("extra_headers")
    own = headers.get(HttpxHooks.REQUEST_ID_HEADER) if isinstance(headers, dict) else None
    return own or request.custom_id
