"""A table in its parts, in one pass: a filter for each part would read all rows each time."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa


class Parts(dict[tuple[str, ...], pa.Table]):
    """The rows of a table by their values in some columns, in their order.

    Of values that no row has, an empty table.
    """

    def __init__(self, rows: pa.Table, columns: Sequence[str]) -> None:
        super().__init__()
        self._none = rows.slice(0, 0)
        if not rows.num_rows:
            return
        codes, starts = _runs(rows, columns)
        if len(starts) > len(np.unique(codes[starts])):
            order = np.argsort(codes, kind="stable")
            rows = rows.combine_chunks().take(pa.array(order))
            codes, starts = _runs(rows, columns)
        firsts = rows.select(columns).take(pa.array(starts)).to_pydict()
        sizes = np.diff([*starts, rows.num_rows])
        self.update(zip(zip(*firsts.values(), strict=True), _cut(rows, sizes), strict=True))

    def __missing__(self, values: tuple[str, ...]) -> pa.Table:
        return self._none


def _cut(rows: pa.Table, sizes: Iterable[int]) -> Iterator[pa.Table]:
    """The rows in pieces of these sizes. No row is copied: that of a large table takes longer.

    Nor is the table sliced: a slice looks at all chunks before it.
    """
    batches = deque(rows.to_batches())
    for size in sizes:
        piece, wanted = [], int(size)
        while wanted:
            batch = batches.popleft()
            if batch.num_rows > wanted:
                batches.appendleft(batch.slice(wanted))
                batch = batch.slice(0, wanted)
            piece.append(batch)
            wanted -= batch.num_rows
        yield pa.Table.from_batches(piece)


def _runs(rows: pa.Table, columns: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """int64[rows]: a number for the values of each row; and where another number begins."""
    codes = np.zeros(rows.num_rows, np.int64)
    for name in columns:
        coded = rows[name].combine_chunks().dictionary_encode("encode")
        codes = codes * len(coded.dictionary) + coded.indices.to_numpy()
    return codes, np.flatnonzero(np.diff(codes, prepend=-1))
