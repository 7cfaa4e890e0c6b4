"""What `python -m deploy` does: it brings the site up on AWS, shows what it made, and takes down what holds no data.

docs/deploy.md tells what it needs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cruddur.environment import Environment
from cruddur.problem import Problem

from .artifacts import empty_bucket, push_image, upload_function
from .aws import Account, connect, explained_errors
from .commands import manage
from .stacks import AFTER_COMMANDS, BEFORE_ARTIFACTS, BEFORE_COMMANDS, TEMPLATES, Stacks

SHOWN = (
    "LoadBalancerAddress", "SignInUrl", "UserPoolId", "TableName", "DatabaseHost", "FunctionName", "FailureQueueUrl",
    "OperatorRoleArn", "ClusterName", "AlarmTopicArn",
)  # fmt: skip

VARIABLES_READ = ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION")
BUCKETS = ("ArtifactBucketName", "LogBucketName")
FUNCTION_CONCURRENCY = 50
"""Maximum concurrency of the function: one for each stream shard; a large site's table has 20."""
UNRESERVED_AT_LEAST = 100
"""Concurrency that an account must leave unreserved for all other functions."""
STOPPED = 130
"""Exit code after Ctrl-C."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Return 0 on success, 1 on failure, 130 after Ctrl-C; for `manage` the command's exit code."""
    options = _parser().parse_args(arguments)
    try:
        with explained_errors():
            env = Environment(os.environ, VARIABLES_READ)
            account = connect(region=options.region, endpoint_url=env.text("AWS_ENDPOINT_URL") or None)
            say(f"Account {account.number}, {account.region}, deployment {options.name}")
            code: int = options.act(account, Stacks(account, options.name, say, options.templates), options)
            return code
    except Problem as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. AWS goes on with what was begun: run it again, and it goes on from there.\n")
        return STOPPED


def up(account: Account, stacks: Stacks, options: argparse.Namespace) -> int:
    """Deploy or update everything, the database before what needs it."""
    given = parameters(account, options)
    if not stacks.read().get("LoadBalancerAddress") and not (options.domain and (options.zone or options.certificate)):
        raise Problem("The first time it needs --domain, and --zone or --certificate: docs/deploy.md says where from.")
    if "FunctionName" not in stacks.outputs:
        given.setdefault("FunctionConcurrency", str(function_concurrency(account)))
    for part in BEFORE_ARTIFACTS:
        stacks.bring_up(part, given)
    given["FunctionKey"] = upload_function(account, stacks.outputs["ArtifactBucketName"])
    given["ImageUri"] = options.image or push_image(account, stacks.outputs["ImageRepositoryUri"])
    for part in BEFORE_COMMANDS:
        stacks.bring_up(part, given)
    say("  manage.py setup --no-seed")
    code, lines = manage(account, stacks.outputs, ["setup", "--no-seed"])
    for line in lines:
        say(f"    {line}")
    if code:
        raise Problem("Setting up failed, and the web server is as it was: put right what the lines above say.")
    for part in AFTER_COMMANDS:
        stacks.bring_up(part, given)
    show(stacks.outputs)
    return 0


def parameters(account: Account, options: argparse.Namespace) -> dict[str, str]:
    """Return the template parameters that the options set. An update keeps the values of those left out."""
    name = options.name
    found = {
        "Prefix": name,
        "TableName": f"{name}-messages",
        "PoolName": f"{name}-users",
        "DomainPrefix": f"{name}-{account.number}",
        "AppUrl": options.domain and f"https://{options.domain}",
        "Domain": options.domain,
        "HostedZoneId": options.zone,
        "CertificateArn": options.certificate,
        "Size": options.size,
        "Billing": options.billing,
        "Valkey": options.valkey,
        "AlarmEmail": options.alarm_email,
        "SesIdentityArn": options.ses_identity,
        "OtlpEndpoint": options.otlp_endpoint,
    }
    for pair in options.set or ():
        key, mark, value = pair.partition("=")
        if not mark:
            raise Problem(f"--set takes NAME=VALUE, not {pair!r}.")
        found[key] = value
    return {key: value for key, value in found.items() if value is not None}


def function_concurrency(account: Account) -> int:
    """Return how many of the function may run at once; 0 (no limit) where the account has too few to spare."""
    spare = account.functions.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    if spare >= FUNCTION_CONCURRENCY + UNRESERVED_AT_LEAST:
        return FUNCTION_CONCURRENCY
    say(f"  Lambda runs {spare} functions of this account at once: too few to reserve {FUNCTION_CONCURRENCY} for ours")
    return 0


def outputs(_account: Account, stacks: Stacks, _options: argparse.Namespace) -> int:
    """Show what is there."""
    found = stacks.read()
    if not found:
        raise Problem(f"There is no deployment {stacks.name} in this account and region.")
    show(found)
    return 0


def run_command(account: Account, stacks: Stacks, options: argparse.Namespace) -> int:
    """Run a command of manage.py inside the network."""
    found = stacks.read()
    if "OperatorTaskArn" not in found:
        raise Problem(f"There is no deployment {stacks.name} in this account and region.")
    code, lines = manage(account, found, options.command)
    for line in lines:
        say(line)
    return code


def down(account: Account, stacks: Stacks, options: argparse.Namespace) -> int:
    """Take down what holds no data, after asking."""
    if not options.yes:
        sys.stdout.write(f"Web, worker, function, images and logs of {stacks.name} are deleted. Its name, to do it: ")
        sys.stdout.flush()
        if sys.stdin.readline().strip() != stacks.name:
            raise Problem("Nothing was deleted.")
    found = stacks.read()

    def empty_buckets(part: str) -> None:
        if part == "base":  # last: the load balancer writes logs into one of the buckets until it is deleted
            for name in BUCKETS:
                if name in found:
                    empty_bucket(account, found[name])

    stacks.take_down(before=empty_buckets)
    say(f"Kept: {', '.join(stacks.kept()) or 'nothing'}. docs/deploy.md says how to delete data.")
    return 0


def show(found: Mapping[str, str]) -> None:
    """Print the outputs that people need."""
    for name in SHOWN:
        if name in found:
            say(f"  {name:20} {found[name]}")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    every = argparse.ArgumentParser(add_help=False)
    every.add_argument("--name", default="cruddur", help="of the deployment, begins the names of all it has: cruddur")
    every.add_argument("--region", help="by default that of AWS's tools: AWS_REGION, or the profile's")
    every.add_argument("--templates", type=Path, default=TEMPLATES, help="a directory of other templates than ours")
    parser = argparse.ArgumentParser(prog="python -m deploy", description=__doc__)
    what = parser.add_subparsers(required=True, metavar="up, outputs, manage or down")
    bring = what.add_parser("up", parents=[every], help="deploy or update; options that are left out stay as they are")
    bring.set_defaults(act=up)
    bring.add_argument("--domain", help="the site's host, as in messages.example.com; needed the first time")
    bring.add_argument("--zone", help="the id of the host's zone in Route 53; with it certificate and address are made")
    bring.add_argument("--certificate", help="without a zone: the ARN of a certificate for the host")
    bring.add_argument("--size", choices=("small", "large"), help="small at first")
    bring.add_argument("--billing", choices=("provisioned", "on-demand"), help="of the table; provisioned at first")
    bring.add_argument("--valkey", choices=("yes", "no"), help="whether Valkey carries live updates; no at first")
    bring.add_argument("--alarm-email", help="who gets alarms")
    bring.add_argument("--ses-identity", help="the ARN of a verified identity of SES that Cognito mails from")
    bring.add_argument("--otlp-endpoint", help="the collector that gets metrics and traces; none at first")
    bring.add_argument("--image", help="one that is built already; by default that of the commit is built and pushed")
    bring.add_argument("--set", action="append", metavar="NAME=VALUE", help="any other parameter of the templates")
    what.add_parser("outputs", parents=[every], help="show addresses and names").set_defaults(act=outputs)
    run = what.add_parser("manage", parents=[every], help="run a command of manage.py inside the network")
    run.set_defaults(act=run_command)
    run.add_argument("command", nargs=argparse.REMAINDER, help="as after manage.py")
    take = what.add_parser("down", parents=[every], help="take down what holds no data; table, pool, database stay")
    take.set_defaults(act=down)
    take.add_argument("--yes", action="store_true", help="do not ask")
    return parser
