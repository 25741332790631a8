"""The records of a training stream, batch by batch, the next group of them read meanwhile."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

from model.order import Order
from model.records import RecordSource


class ReadAhead:
    """Reads groups of records in the order of their use; holds three at most. Any thread may ask for any batch."""

    def __init__(self, source: RecordSource, order: Order) -> None:
        self._source, self._order = source, order
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cocoprep-read")
        self._groups: dict[int, Future[list[bytes]]] = {}  # by their number, counted through all epochs
        self._lock = threading.Lock()

    def batch(self, step: int, batch_size: int) -> list[bytes]:
        """Return the records of one batch. Raises RecordError as `RecordSource.read` does."""
        counter, start = self._order.find(step * batch_size)
        records: list[bytes] = []
        while len(records) < batch_size:
            records += self._group(counter)[start : start + batch_size - len(records)]
            counter, start = counter + 1, 0
        return records

    def _group(self, counter: int) -> list[bytes]:
        with self._lock:
            for number in (counter, counter + 1):
                if number not in self._groups:
                    self._groups[number] = self._reader.submit(self._read, number)
            for number in [number for number in self._groups if not counter - 1 <= number <= counter + 1]:
                self._groups.pop(number).cancel()
            group = self._groups[counter]
        return group.result()

    def _read(self, counter: int) -> list[bytes]:
        return self._source.read(self._order.group(*divmod(counter, self._order.groups)))
