"""Upload what is deployed: the function's zip to the bucket, the containers' image to the repository."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from cruddur.problem import Problem

from .aws import Account, ServiceError, is_refused_as
from .lambda_zip import ROOT, build

PLATFORM = "linux/amd64"
"""The platform of the task definitions, whatever the platform of the building machine."""


def upload_function(account: Account, bucket: str) -> str:
    """Build the function's zip and put it into the bucket; returns its key, which is its content's hash."""
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory) / "stream-lambda.zip"
        build(target)
        content = target.read_bytes()
    key = f"stream-lambda-{hashlib.sha256(content).hexdigest()[:16]}.zip"
    account.s3.put_object(Bucket=bucket, Key=key, Body=content)
    return key


def empty_bucket(account: Account, bucket: str) -> None:
    """Delete every version of every object: AWS deletes only an empty bucket."""
    for page in account.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            account.s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])


def push_image(account: Account, repository_uri: str) -> str:
    """Build the image of the commit that is checked out and push it, unless it is there; returns its URI.

    Raises Problem when something is not committed, or when there is no docker.
    """
    if _git("status", "--porcelain"):
        raise Problem("Something is not committed, and an image is named for its commit: commit, or name an --image.")
    tag = _git("rev-parse", "--short=12", "HEAD")
    uri = f"{repository_uri}:{tag}"
    if _is_there(account, repository_uri.partition("/")[2], tag):
        return uri
    docker = shutil.which("docker")
    if docker is None:
        raise Problem("There is no docker to build the image: install it, or name an --image that is built elsewhere.")
    registry = repository_uri.partition("/")[0]
    token = account.ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = base64.b64decode(token).decode().partition(":")
    _run(docker, "build", "--platform", PLATFORM, "--build-arg", f"VERSION={tag}", "--tag", uri, str(ROOT))
    _run(docker, "login", "--username", user, "--password-stdin", registry, given=password)
    _run(docker, "push", uri)
    return uri


def _is_there(account: Account, repository: str, tag: str) -> bool:
    try:
        found = account.ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
    except ServiceError as error:
        if not is_refused_as(error, "ImageNotFoundException"):
            raise
        return False
    return bool(found["imageDetails"])


def _git(*arguments: str) -> str:
    return subprocess.run(  # noqa: S603 - our own arguments
        ["git", *arguments],  # noqa: S607 - whichever git there is
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip


def _run(*command: str, given: str | None = None) -> None:
    """Run it with its output on the terminal. Raises Problem when it fails."""
    if subprocess.run(command, input=given, text=True, check=False).returncode:  # noqa: S603 - our own arguments
        raise Problem(f"`{' '.join(command[:2])}` failed: put right what the lines above say and run this again.")
