"""Paths in buckets, clients, and what Google's libraries raise in words of ours."""

from __future__ import annotations

import threading

import pytest
import requests

from cocoprep.errors import ConfigError, OutputError, StoreError
from cocoprep.storage.gcs_client import bucket_client, no_bucket, split_path, told

api = pytest.importorskip("google.api_core.exceptions", reason="needs Google's libraries: pip install -e '.[gcp]'")
auth = pytest.importorskip("google.auth.exceptions")
storage = pytest.importorskip("google.cloud.storage.exceptions")
PATH = "gs://photographs/train2017/1.jpg"


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("gs://bucket/a", ("bucket", "a")),
        ("gs://bucket/deep/er/a.zip", ("bucket", "deep/er/a.zip")),
        ("gs://bucket", ("bucket", "")),
        ("gs://bucket/", ("bucket", "")),
    ],
)
def test_bucket_and_name(path, parts):
    assert split_path(path) == parts


@pytest.mark.parametrize("path", ["gs://", "gs:///a", "bucket/a", "/gs://bucket/a", "s3://bucket/a"])
def test_a_path_without_a_bucket_is_refused(path):
    with pytest.raises(ConfigError, match=r"expected gs://bucket/name, found no bucket"):
        split_path(path)


def raised(error: BaseException) -> BaseException:
    """Return what comes out of `told` where its block raises an error."""
    with pytest.raises(BaseException) as caught, told(PATH):  # noqa: PT011
        raise error
    return caught.value


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (api.Forbidden("no"), "refuses this account (403 no). Reading takes the role Storage Object Viewer"),
        (api.Unauthorized("who?"), "refuses this account (401 who?)"),
        (auth.DefaultCredentialsError("None found. See a page."), "no Google credentials (None found). Run `gcloud"),
        (auth.RefreshError("invalid_grant"), "Google does not accept these credentials (invalid_grant)."),
        (storage.DataCorruption(None, "checksums differ"), "damaged on its way (checksums differ)."),
        (api.ServiceUnavailable("busy"), "does not answer as it should, in spite of repeated requests (the last: 503"),
        (api.TooManyRequests("slowly"), "does not answer as it should"),
        (api.RetryError("3 s", ConnectionResetError("reset by peer")), "(the last: reset by peer)"),
        (api.RetryError("timeout of 3 s", None), "(the last: timeout of 3 s"),
        (auth.TransportError("no route"), "(the last: no route)"),
        (ConnectionResetError("reset"), "(the last: reset)"),
        (TimeoutError("too long"), "(the last: too long)"),
        (api.PreconditionFailed("older"), "the bucket refuses the request (412 older)."),
        (api.BadRequest("bad  \n name"), "the bucket refuses the request (400 bad name)."),
        (auth.UserAccessTokenError("token"), "the bucket refuses the request (token)."),
    ],
)
def test_each_error_is_told_with_its_path_and_cure(error, says):
    ours = raised(error)
    assert type(ours) is StoreError
    assert str(ours).startswith(f"{PATH}: ")
    assert says in str(ours)
    assert ours.__cause__ is error


def test_what_is_not_there_is_a_file_that_is_not_there():
    ours = raised(api.NotFound("no such object"))
    assert type(ours) is FileNotFoundError
    assert ours.filename == PATH


@pytest.mark.parametrize("error", [OutputError("ours"), ValueError("a mistake"), KeyError("k"), KeyboardInterrupt()])
def test_our_own_errors_and_what_nobody_expects_pass(error):
    assert raised(error) is error


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ('GET https://x: {"error": {"code": 403, "message": "not you"}}', "(403 not you)"),
        ("('Request failed with status code', 403, 'Expected one of', 200)", "(403 Forbidden)"),
    ],
)
def test_of_the_services_answer_status_and_words_are_told(words, says):
    answer = requests.Response()
    answer.status_code, answer.reason = 403, "Forbidden"
    assert says in str(raised(api.Forbidden(words, response=answer)))


def test_a_bucket_that_is_not_there_is_named_with_how_to_make_it():
    assert str(no_bucket(PATH)) == (
        f"{PATH}: no bucket gs://photographs. Check its name, or make it: "
        "gcloud storage buckets create gs://photographs."
    )


def test_each_thread_and_each_service_has_a_client_of_its_own(monkeypatch):
    found = []
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    mine = bucket_client()
    thread = threading.Thread(target=lambda: found.extend([bucket_client(), bucket_client()]))
    thread.start()
    thread.join()
    assert bucket_client() is mine
    assert found[0] is found[1]
    assert found[0] is not mine
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:10")
    assert bucket_client() is not mine
