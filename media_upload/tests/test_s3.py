"""Files in an object store: the service in front of a local S3 (moto), both in earnest."""

from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

from acceptance.service import free_port
from media_upload.models import Upload

from . import samples

ACCOUNT = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}


@pytest.fixture(scope="module")
def endpoint():
    """The address of a running S3."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def bucket(endpoint):
    """An empty bucket, which is gone afterwards."""
    store = boto3.resource("s3", endpoint_url=endpoint, region_name="us-east-1", **ACCOUNT)
    bucket = store.create_bucket(Bucket="files")
    yield bucket
    if bucket in store.buckets.all():
        bucket.objects.delete()
        bucket.delete()


def storage(endpoint):
    """The settings of a service that keeps its files there, in `bucket`."""
    return {
        "MEDIA_STORAGE": "s3",
        "S3_BUCKET": "files",
        "S3_ENDPOINT_URL": endpoint,
        "S3_REGION": "us-east-1",
        "S3_ACCESS_KEY_ID": ACCOUNT["aws_access_key_id"],
        "S3_SECRET_ACCESS_KEY": ACCOUNT["aws_secret_access_key"],
        "S3_ADDRESSING_STYLE": "path",
    }


@pytest.fixture
def client(alice, bucket, endpoint, shared_server):
    """Alice, at a service that keeps its files in `bucket`."""
    return alice.at(shared_server(**storage(endpoint)))


def upload(client, content, name):
    response = client.post("/chat/upload_media/", files={"file": (name, content, "text/html")})
    assert response.status_code == 201, response.text
    return response.json()


def test_the_bytes_are_in_the_bucket_and_fetched_from_there(client, bucket):
    answer = upload(client, samples.image("PNG"), "عکس.png")

    [stored] = bucket.objects.all()
    assert stored.key == f"{answer['id'][-2:]}/{answer['id']}-عکس.png"
    redirect = client.get(answer["file_url"], allow_redirects=False)
    assert redirect.status_code == 302
    assert redirect.headers["Cache-Control"] == "private, no-store"
    response = requests.get(redirect.headers["Location"])  # without the token
    assert response.content == samples.image("PNG")
    assert response.headers["Content-Type"] == "image/png"
    assert response.headers["Content-Disposition"].startswith("inline; ")


def test_the_address_is_signed_and_soon_useless(client):
    answer = upload(client, b"Hello", "hello.txt")

    url = client.get(answer["file_url"], allow_redirects=False).headers["Location"]

    signed = parse_qs(urlsplit(url).query)
    assert signed["X-Amz-Signature"]
    assert int(signed["X-Amz-Expires"][0]) <= 60


def test_nothing_runs_from_there_either(client, bucket):
    answer = upload(client, samples.SCRIPT, "page.html")

    response = client.get(answer["file_url"])

    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"] == 'attachment; filename="page.html"'
    [stored] = bucket.objects.all()
    assert stored.Object().content_type == "application/octet-stream"  # the sender said text/html


def test_head_is_signed_for_head(client):
    answer = upload(client, b"Hello", "hello.txt")

    response = client.head(answer["file_url"], allow_redirects=True)

    assert (response.status_code, response.headers["Content-Length"]) == (200, "5")


def test_a_large_file_goes_there_in_parts(client, bucket):
    content = bytes(range(256)) * 80_000

    answer = upload(client, content, "large.bin")

    assert client.get(answer["file_url"]).content == content


@pytest.mark.faults
def test_a_store_that_is_down_is_an_answer(alice, start_server):
    nobody_listens = f"http://127.0.0.1:{free_port()}"

    response = alice.at(start_server(**storage(nobody_listens))).post(
        "/chat/upload_media/", files={"file": ("a.txt", b"a")}
    )

    assert response.status_code == 503
    assert "store" in response.json()["detail"]
    assert response.headers["Retry-After"]
    assert not Upload.objects.exists()


def test_a_bucket_that_is_missing_is_an_answer(client, bucket):
    bucket.delete()

    response = client.post("/chat/upload_media/", files={"file": ("a.txt", b"a")})

    assert (response.status_code, Upload.objects.count()) == (503, 0)
