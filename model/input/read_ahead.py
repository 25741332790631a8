"""The people of a training stream, batch by batch, the next group of them read meanwhile."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

from cocoprep.model.input.mixture import Mixture
from cocoprep.model.input.order import Order
from cocoprep.model.input.records import PersonRecord, RecordSource
from cocoprep.model.input.weighted_order import WeightedOrder

GROUPS = 4  # held at the same time; more than that are needed only where a group is smaller than a batch


class ReadAhead:
    """Reads groups of people in the order of their use. Any thread may ask for any batch."""

    def __init__(self, source: RecordSource | Mixture, order: Order | WeightedOrder) -> None:
        self._source, self._order = source, order
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cocoprep-read")
        self._groups: dict[int, Future[list[PersonRecord]]] = {}  # by their number, counted through all epochs
        self._lock = threading.Lock()

    def batch(self, step: int, batch_size: int) -> list[PersonRecord]:
        """Return the people of one batch. Raises RecordError as `RecordSource.read` does."""
        counter, start = self._order.find(step * batch_size)
        people: list[PersonRecord] = []
        while len(people) < batch_size:
            people += self._group(counter)[start : start + batch_size - len(people)]
            counter, start = counter + 1, 0
        return people

    def _group(self, counter: int) -> list[PersonRecord]:
        with self._lock:
            for number in (counter, counter + 1):
                if number not in self._groups:
                    self._groups[number] = self._reader.submit(self._read, number)
            group = self._groups[counter]
            while len(self._groups) > GROUPS:
                # The one asked for first. A thread that still needs it holds it, or has it read again.
                del self._groups[next(iter(self._groups))]
        return group.result()

    def _read(self, counter: int) -> list[PersonRecord]:
        return self._source.read(self._order.group(*divmod(counter, self._order.groups)))
