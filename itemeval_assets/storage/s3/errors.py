"""Errors of S3 as errors of the store: which object, what went wrong, and what to do."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
)

from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.text.secrets import without_secrets

OVERTAKEN = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")
MISSING = ("NoSuchKey", "404", "NotFound")


def code_of(error: ClientError) -> str:
    """The code of an answer of S3, such as `NoSuchKey`; empty where it gives none."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def telling(action: str, uri: str, endpoint: str) -> Iterator[None]:
    """Raise StoreError in place of an error of S3 while the block does something to an object."""
    try:
        yield
    except (ClientError, S3UploadFailedError) as error:
        # boto3 puts an error of its own around what S3 answers to an upload.
        answer = error if isinstance(error, ClientError) else error.__context__
        told = _explain(answer, uri) if isinstance(answer, ClientError) else _first_line(error)
        raise StoreError(f"cannot {action} {uri}: {told}") from error
    except NoCredentialsError as error:
        raise StoreError(
            f"cannot {action} {uri}: no credentials for S3 are found; set "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
        ) from error
    except (EndpointConnectionError, HTTPClientError, OSError) as error:
        raise StoreError(
            f"cannot {action} {uri}: {endpoint} does not answer as S3 does "
            f"({_first_line(error)}); check the network, AWS_ENDPOINT_URL and AWS_REGION"
        ) from error
    except BotoCoreError as error:
        raise StoreError(
            f"cannot {action} {uri}: {_first_line(error)}; "
            "check the AWS_* settings of the environment"
        ) from error


def _explain(error: ClientError, uri: str) -> str:
    bucket = uri.removeprefix("s3://").partition("/")[0]
    code, told = code_of(error), error.response["Error"].get("Message", "")
    what_to_do = {
        "NoSuchBucket": f"there is no bucket {bucket!r}; create it, or correct its name",
        "AccessDenied": "access is denied; the credentials need to get, put, list and delete",
        "403": "access is denied; the credentials need to get, put, list and delete",
        "InvalidAccessKeyId": "the access key is not known there; check AWS_ACCESS_KEY_ID",
        "SignatureDoesNotMatch": "the secret key is wrong; check AWS_SECRET_ACCESS_KEY",
        "PreconditionFailed": "another writer has replaced it meanwhile; try again",
        "ExpiredToken": "the credentials have expired; get new ones",
    }
    told = without_secrets(told, os.environ) or "without a message"
    return what_to_do.get(code, f"S3 answers {code}: {told}")


def _first_line(error: Exception) -> str:
    line = (str(error).splitlines() or [type(error).__name__])[0]
    return without_secrets(line, os.environ)
