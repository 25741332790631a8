"""Google Cloud Storage's client: one a thread, its credentials, and its errors in words of ours."""

from __future__ import annotations

import errno
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cocoprep.errors import CocoprepError, ConfigError, StoreError
from cocoprep.storage.paths import BUCKET_SCHEME

_METADATA_S, _LIBRARYS_S = 1.0, 3.0
_EMULATOR = "STORAGE_EMULATOR_HOST"  # as Google's own libraries call it
_SAID = re.compile(r'"message": *"((?:[^"\\]|\\.)*)"')
_SCOPES = ("https://www.googleapis.com/auth/devstorage.read_write",)


def split_path(path: str) -> tuple[str, str]:
    """Return (bucket, name) of a path in a bucket. Raises ConfigError where it names none."""
    bucket, _, name = path.removeprefix(BUCKET_SCHEME).partition("/")
    if not bucket or not path.startswith(BUCKET_SCHEME):
        raise ConfigError(f"{path}: expected {BUCKET_SCHEME}bucket/name, found no bucket.")
    return bucket, name


class _Local(threading.local):
    made_for: tuple[int, str | None] | None = None
    client: Any = None


_local = _Local()


def bucket_client() -> Any:
    """Return this thread's client: connections may be shared neither between threads nor with a forked process."""
    here = os.getpid(), os.environ.get(_EMULATOR)
    if _local.made_for != here:
        _local.client = _new_client()
        _local.made_for = here
    return _local.client


def _new_client() -> Any:
    try:
        from google.auth import default
        from google.auth.credentials import AnonymousCredentials
        from google.auth.transport.requests import Request
        from google.cloud.storage import Client  # so named, since other packages of Google's make a `google.cloud` too
    except ModuleNotFoundError as error:
        raise StoreError(
            f"{BUCKET_SCHEME} paths need Google's libraries, found no {error.name}: pip install 'cocoprep[gcp]'."
        ) from error
    if os.environ.get(_EMULATOR):
        return Client(project=None, credentials=AnonymousCredentials())
    ask = Request()

    def ask_briefly(*arguments: Any, timeout: float | None = None, **options: Any) -> Any:
        # Whether this is a machine of Google's, the library asks with a short timeout, many times: 20 s in all where
        # nobody answers. Those who do answer do so at once. What has a longer timeout is another question.
        if timeout is not None:
            options["timeout"] = _METADATA_S if timeout <= _LIBRARYS_S else timeout
        return ask(*arguments, **options)

    credentials, _ = default(scopes=_SCOPES, request=ask_briefly)
    return Client(project=None, credentials=credentials)


@contextmanager
def told(path: str) -> Iterator[None]:
    """Turn what Google's libraries raise into what the core expects, with the cure."""
    try:
        yield
    except CocoprepError:
        raise
    except Exception as error:
        ours = _as_ours(path, error)
        if ours is None:
            raise
        raise ours from error


def _as_ours(path: str, error: Exception) -> Exception | None:
    """Return the error to raise instead; None for one that nobody expects."""
    from google.api_core import exceptions as api
    from google.auth import exceptions as auth
    from google.cloud.storage.exceptions import DataCorruption
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError

    if isinstance(error, api.NotFound):
        return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    if isinstance(error, (api.Forbidden, api.Unauthorized)):
        return StoreError(
            f"{path}: the bucket refuses this account ({_reason(error)}). Reading takes the role Storage "
            "Object Viewer on the bucket, writing Storage Object User."
        )
    if isinstance(error, auth.DefaultCredentialsError):
        return StoreError(
            f"{path}: no Google credentials ({str(error).split('. ')[0]}). Run `gcloud auth application-default "
            "login`, or name the key file of a service account in GOOGLE_APPLICATION_CREDENTIALS."
        )
    if isinstance(error, auth.RefreshError):
        return StoreError(
            f"{path}: Google does not accept these credentials ({error.args[0]}). Run `gcloud auth application-default "
            "login` again, or renew the key that GOOGLE_APPLICATION_CREDENTIALS names."
        )
    if isinstance(error, DataCorruption):
        return StoreError(f"{path}: damaged on its way ({error}). Run the same command again.")
    lost = (RequestException, HTTPError, ConnectionError, TimeoutError)
    if isinstance(error, (api.RetryError, api.ServerError, api.TooManyRequests, auth.TransportError, *lost)):
        last = error.cause if isinstance(error, api.RetryError) and error.cause else error
        return StoreError(
            f"{path}: the bucket does not answer as it should, in spite of repeated requests (the last: "
            f"{_reason(last)}). What is finished is kept: run the same command again later."
        )
    if isinstance(error, (api.GoogleAPIError, auth.GoogleAuthError)):
        return StoreError(f"{path}: the bucket refuses the request ({_reason(error)}).")
    return None


def _reason(error: BaseException) -> str:
    """Return status and words of the service, without the answer's JSON or the codes that the library expected."""
    text, response = str(error), getattr(error, "response", None)
    status, reason = getattr(response, "status_code", None), getattr(response, "reason", "")
    if status is not None and (said := _SAID.search(text)):
        return f"{status} {said[1]}"
    if status is not None and "Request failed with status code" in text:
        return f"{status} {reason}"
    return " ".join(text.split())


def no_bucket(path: str) -> StoreError:
    """Return the error for a path whose bucket is not there."""
    bucket = f"{BUCKET_SCHEME}{split_path(path)[0]}"
    return StoreError(
        f"{path}: no bucket {bucket}. Check its name, or make it: gcloud storage buckets create {bucket}."
    )
