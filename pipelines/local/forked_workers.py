"""Workers that begin as copies of the driver, which has loaded Beam already: a fork takes no time and shares memory.

Loading Beam takes a process a second, and with two workers on two cores all of it would be waited for. The copies are
made before Beam has any threads; each waits until Beam asks for a worker.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
import threading
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from apache_beam.runners.portability.fn_api_runner.worker_handlers import GrpcWorkerHandler, WorkerHandler
from apache_beam.runners.worker import sdk_worker_main
from apache_beam.transforms.environments import Environment, python_sdk_capabilities
from google.protobuf import json_format, text_format

from cocoprep.pipelines.local.job import WORKER_THREAD

FORKED = "cocoprep:environment:forked:v1"
PROCESS_NAME = b"cocoprep-worker"  # in `top` and /proc; the kernel takes 15 letters


@dataclass(frozen=True, slots=True)
class _Worker:
    """A copy of this process that waits for its orders: environment variables, as Beam's workers take them."""

    pid: int
    orders: BinaryIO

    def start(self, variables: dict[str, str]) -> None:
        with suppress(BrokenPipeError), self.orders as stream:  # whoever waits for its end tells of that
            stream.write(json.dumps(variables).encode())

    def wait(self) -> None:
        """Wait for its end. A worker that fails is told to whoever watches the threads of this process."""
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if status:
            raise RuntimeError(f"Worker subprocess exited with return code {status}")  # Beam's words


# Beam makes a handler by itself for each worker that it wants, so that this is where a handler finds one.
_waiting: list[_Worker] = []


def fork_workers(count: int) -> Environment:
    """Make copies of this process, and return the environment that has Beam use them as workers.

    Call it after all that workers need is loaded, and before Beam runs: of Beam's threads a copy would have the locks
    alone.
    """
    gc.collect()
    gc.freeze()  # or the collector would write to every page that is shared, and so copy it
    for _ in range(count):
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(write_end)
            for other in _waiting:  # or they would not see this process's parent end
                other.orders.close()
            _work(read_end)
        os.close(read_end)
        _waiting.append(_Worker(pid, os.fdopen(write_end, "wb")))
    return _ForkedEnvironment(capabilities=python_sdk_capabilities())


def _work(orders: int) -> NoReturn:
    """Wait for orders and do them. Their end without a word means that no worker is needed any more."""
    status = 1
    threading.excepthook = threading.__excepthook__  # the driver's would end it
    try:
        with suppress(OSError):  # macOS has no /proc
            Path("/proc/self/comm").write_bytes(PROCESS_NAME)
        with os.fdopen(orders, "rb") as stream:
            variables = stream.read()
        if variables:
            logging.getLogger().handlers.clear()  # what it logs goes to the driver
            os.environ.update(json.loads(variables))
            sdk_worker_main.main([])
        status = 0
    except BaseException:  # whatever it is, this process must not go on as a driver
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)


@Environment.register_urn(FORKED, bytes)
class _ForkedEnvironment(Environment):
    def to_runner_api_parameter(self, context: Any) -> tuple[str, bytes]:
        return FORKED, b""

    @staticmethod
    def from_runner_api_parameter(
        _payload: bytes, capabilities: Any, artifacts: Any, resource_hints: Any, _context: Any
    ) -> _ForkedEnvironment:
        return _ForkedEnvironment(capabilities, artifacts, resource_hints)


@WorkerHandler.register_environment(FORKED, bytes)
class _ForkedWorkerHandler(GrpcWorkerHandler):
    def __init__(self, _payload: bytes, state: Any, provision_info: Any, grpc_server: Any) -> None:
        super().__init__(state, provision_info, grpc_server)

    def start_worker(self) -> None:
        worker = _waiting.pop()
        self._end = threading.Thread(target=worker.wait, name=WORKER_THREAD)
        self._end.start()
        worker.start({
            "CONTROL_API_SERVICE_DESCRIPTOR": text_format.MessageToString(self.control_api_service_descriptor()),
            "LOGGING_API_SERVICE_DESCRIPTOR": text_format.MessageToString(self.logging_api_service_descriptor()),
            "PIPELINE_OPTIONS": json_format.MessageToJson(self.provision_info.provision_info.pipeline_options),
            "WORKER_ID": self.worker_id,
        })  # fmt: skip

    def stop_worker(self) -> None:
        self._end.join()
