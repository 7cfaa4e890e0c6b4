"""The one door to Cognito's user pools."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_cognito_idp import CognitoIdentityProviderClient

LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "::1"}
DUMMY_CREDENTIAL = "cruddurlocal"


def connect(*, endpoint_url: str | None, region: str) -> "CognitoIdentityProviderClient":
    """A client with a session of its own. A loopback endpoint gets dummy credentials, any other the default chain."""
    local = endpoint_url is not None and urlsplit(endpoint_url).hostname in LOOPBACK_HOSTS
    return boto3.Session().client(
        "cognito-idp",
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id=DUMMY_CREDENTIAL if local else None,
        aws_secret_access_key=DUMMY_CREDENTIAL if local else None,
        config=Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2}),
    )
