"""Keeps what the specs of a shard led to: in parts while they come, in one object at the end.

To save again writes no byte twice, so that a shard of any length costs what its outcomes cost.
"""

import json
import math
import time
from types import TracebackType

from itemeval_assets.experiments.errors import SpecError
from itemeval_assets.experiments.layout.keys import RunPlace
from itemeval_assets.experiments.outputs.outcomes import Outcome
from itemeval_assets.experiments.outputs.shard_output import (
    ShardOutput,
    UnreadableShardError,
    merge,
)
from itemeval_assets.storage.objects.backends import Backend

# A spec that takes so many times as long as it takes to save it is saved at once. Shorter ones are
# saved together, so that saving takes a tenth of the time at most.
_LONG = 2.0
_TOGETHER = 10.0


class ShardStore:
    """The stored outcomes of one shard."""

    def __init__(
        self, backend: Backend, place: RunPlace, shard: int, keys: list[str] | None = None
    ) -> None:
        """`keys`: those of the run's outputs, where they are known already."""
        self._backend, self._place, self.shard = backend, place, shard
        self._keys = keys

    @property
    def uri(self) -> str:
        """Where the shard's outcomes are once all of them are there."""
        return self._backend.uri(self._place.shard_output(self.shard))

    def read(self) -> ShardOutput:
        """All outcomes that are stored. Raises SpecError, naming the object that is unreadable."""
        output = ShardOutput(())
        for key in self.keys():
            output = merge(output, self._decode(key))
        return output

    def mend(self) -> tuple[ShardOutput, list[str]]:
        """All outcomes that can be read; and the objects that could not be, which are removed."""
        output, broken = ShardOutput(()), []
        for key in self.keys():
            try:
                output = merge(output, self._decode(key))
            except UnreadableShardError:
                self._backend.delete(key)
                broken.append(key)
        self._keys = [key for key in self.keys() if key not in broken]
        return output, [self._backend.uri(key) for key in broken]

    def add(self, outcomes: list[Outcome]) -> None:
        """Store outcomes beside those that are stored."""
        data = ShardOutput(outcomes).encode()
        number = len(self.keys())
        while not self._backend.create(self._place.shard_part(self.shard, number), data):
            number += 1  # another process works on the shard, too
        self._keys = [*self.keys(), self._place.shard_part(self.shard, number)]

    def close(self, outcomes: list[Outcome]) -> None:
        """Store the last outcomes, and put all parts together into the one object of the shard."""
        whole = self._place.shard_output(self.shard)
        parts = [key for key in self.keys() if key != whole]
        together = ShardOutput(())
        for key in parts:
            together = merge(together, self._decode(key))
        together = merge(together, ShardOutput(outcomes))
        if not together.outcomes:
            return

        def merged(stored: bytes | None) -> bytes:
            known = ShardOutput(()) if stored is None else ShardOutput.decode(stored)
            return merge(known, together).encode()

        self._backend.update(whole, merged)
        for key in parts:
            self._backend.delete(key)
        self._keys = [whole]

    def cut_off(self) -> set[int]:
        """The `sort_index` of specs that were at work when their process ended."""
        return set(json.loads(self._backend.read(self._place.cut_off(self.shard)) or b"[]"))

    def forget_cut_off(self) -> None:
        self._backend.delete(self._place.cut_off(self.shard))

    def keys(self) -> list[str]:
        """The objects of the shard: the whole of it first, then parts from the oldest on."""
        if self._keys is None:
            self._keys = self._backend.list(self._place.shard_outputs)
        whole = self._place.shard_output(self.shard)
        own = (key for key in self._keys if RunPlace.shard_of(key) == self.shard)
        return sorted(own, key=lambda key: (key != whole, key))

    def _decode(self, key: str) -> ShardOutput:
        data = self._backend.read(key)
        if data is None:  # another process has put the parts together meanwhile
            return ShardOutput(())
        try:
            return ShardOutput.decode(data)
        except SpecError as error:
            raise type(error)(f"{self._backend.uri(key)}: {error}") from error


class Saver:
    """Takes outcomes and stores them as often as that is cheap; at the end, also of a bad one."""

    def __init__(self, store: ShardStore) -> None:
        self._store = store
        self._waiting: list[Outcome] = []
        self._since = time.monotonic()
        # Of the fastest: one that the machine was too busy for must not make the others rare.
        self._save_s = math.inf

    def __enter__(self) -> "Saver":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._store.close(self._waiting)

    def take(self, outcome: Outcome) -> None:
        """Keep an outcome. A killed process loses the last few short specs, and no long one."""
        self._waiting.append(outcome)
        began = time.monotonic()
        is_first = self._save_s == math.inf
        is_long = outcome.took_s >= _LONG * self._save_s
        if is_first or is_long or began - self._since >= _TOGETHER * self._save_s:
            self._store.add(self._waiting)
            self._waiting = []
            self._since = time.monotonic()
            self._save_s = min(self._save_s, self._since - began)
