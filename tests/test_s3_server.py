"""The S3 of the tests is no reason for a test to hang."""

import socket
from urllib.parse import urlparse

import boto3
from botocore.config import Config

from tests.s3_server import s3_server

IMPATIENT = Config(read_timeout=5, retries={"total_max_attempts": 1})


def test_a_client_that_stops_in_its_request_holds_nobody_up() -> None:
    with s3_server() as server, socket.create_connection(_address(server.endpoint)) as stopped:
        stopped.sendall(b"PUT /a/b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf")
        client = boto3.client(
            "s3",
            endpoint_url=server.endpoint,
            region_name="us-east-1",
            aws_access_key_id="of-the-test",
            aws_secret_access_key="of-the-test",
            config=IMPATIENT,
        )
        client.create_bucket(Bucket="other")
        assert "other" in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]


def _address(endpoint: str) -> tuple[str, int]:
    url = urlparse(endpoint)
    assert url.hostname and url.port
    return url.hostname, url.port
