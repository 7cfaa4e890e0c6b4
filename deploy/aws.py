"""Clients of the AWS services that a deployment needs, and their errors as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import boto3.session
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from cruddur.net import loopback_credentials
from cruddur.problem import Problem

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_ecr import ECRClient
    from types_boto3_ecs import ECSClient
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_s3 import S3Client

ServiceError = ClientError
"""An error response of AWS."""


class Lambda(Protocol):
    """The Lambda calls that a deployment uses."""

    def get_account_settings(self) -> Mapping[str, Any]:
        """Return the account's limits and how much of them is used."""


@dataclass(frozen=True)
class Account:
    """An AWS account in one region: its id, and a client for each service."""

    number: str
    region: str
    cloudformation: CloudFormationClient
    ecr: ECRClient
    ecs: ECSClient
    functions: Lambda
    logs: CloudWatchLogsClient
    s3: S3Client


def connect(*, region: str | None = None, endpoint_url: str | None = None) -> Account:
    """Return the account that AWS's own tools would use. Raises Problem.

    An emulator on loopback gets placeholder credentials, never real ones.
    """
    with explained_errors():
        session = boto3.session.Session(region_name=region, **loopback_credentials(endpoint_url))
        if session.region_name is None:
            raise Problem("No region is set: add --region, as in --region eu-central-1.")
        return Account(
            number=session.client("sts", endpoint_url=endpoint_url).get_caller_identity()["Account"],
            region=session.region_name,
            cloudformation=session.client("cloudformation", endpoint_url=endpoint_url),
            ecr=session.client("ecr", endpoint_url=endpoint_url),
            ecs=session.client("ecs", endpoint_url=endpoint_url),
            functions=session.client("lambda", endpoint_url=endpoint_url),
            logs=session.client("logs", endpoint_url=endpoint_url),
            s3=session.client("s3", endpoint_url=endpoint_url),
        )


@contextmanager
def explained_errors() -> Iterator[None]:
    """Turn AWS's refusals into Problem. What it says of them names parameters and permissions, no secrets."""
    try:
        yield
    except (ClientError, WaiterError, BotoCoreError) as error:
        raise Problem(f"AWS did not do it: {error}") from error


def is_refused_as(error: ClientError, code: str, *, saying: str = "") -> bool:
    """Return whether AWS answered with this error code and a message that contains `saying`."""
    return error.response["Error"]["Code"] == code and saying in error.response["Error"]["Message"]
