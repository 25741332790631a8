"""The end of a process and the calls into Python that are under way."""

from __future__ import annotations

import atexit
import threading
import time

import pytest

from cocoprep.model.input import at_exit


@pytest.fixture
def calls(monkeypatch):
    monkeypatch.setattr(at_exit, "QUIET_S", 0.02)
    found = at_exit._Calls()
    atexit.unregister(found.end)
    return found


def ending(calls) -> threading.Thread:
    thread = threading.Thread(target=calls.end)
    thread.start()
    return thread


def test_calls_pass_until_the_process_ends_and_are_refused_from_then_on(calls):
    with calls.enter(), calls.enter():
        pass
    calls.end()
    with pytest.raises(RuntimeError, match="the process is about to end"), calls.enter():
        pytest.fail("the call was let in")


def test_the_end_waits_for_calls_under_way(calls):
    with calls.enter():
        end = ending(calls)
        end.join(0.2)
        assert end.is_alive()
    end.join(5)
    assert not end.is_alive()


def test_a_call_that_fails_is_not_waited_for(calls):
    with pytest.raises(KeyError), calls.enter():
        raise KeyError
    ending(calls).join(5)
    assert calls._active == 0


def test_the_end_comes_when_no_more_calls_are_tried(calls, monkeypatch):
    monkeypatch.setattr(at_exit, "QUIET_S", 0.3)
    end, last = ending(calls), 0.0
    for _ in range(5):
        time.sleep(0.1)
        assert end.is_alive()
        last = time.monotonic()
        with pytest.raises(RuntimeError), calls.enter():
            pass
    end.join(5)
    assert time.monotonic() - last >= 0.3


def test_a_call_that_never_ends_is_not_waited_for_without_end(calls, monkeypatch):
    monkeypatch.setattr(at_exit, "PATIENCE_S", 0.1)
    with calls.enter():
        end = ending(calls)
        end.join(5)
        assert not end.is_alive()
