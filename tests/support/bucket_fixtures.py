"""Fixtures: buckets on this machine."""

from __future__ import annotations

import pytest

from tests.support.buckets import emulator, new_bucket, proxy


@pytest.fixture(scope="session")
def storage_address():
    """Return the address of a storage service; the tests that need it skip without its package."""
    pytest.importorskip("gcp_storage_emulator", reason="needs gcp-storage-emulator: pip install -e '.[dev]'")
    with emulator() as address:
        yield address


@pytest.fixture
def bucket(storage_address, monkeypatch):
    """Return the `gs://` path of an empty bucket."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage_address)
    return new_bucket(storage_address)


@pytest.fixture
def bad_service(bucket, storage_address, monkeypatch):
    """Return a proxy between us and `bucket` that a test may set against us."""
    with proxy(storage_address) as between:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", between.address)
        yield between
