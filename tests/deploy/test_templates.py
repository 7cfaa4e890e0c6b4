"""What the templates must agree on with the project and with each other; cfn-lint, in `make lint`, knows the rest."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import environ
import pytest
from pytest_django.fixtures import Settings

from cruddur.checks import check_settings
from cruddur.postgres.tls import with_certificates
from deploy.stacks import KEPT, ORDER
from messaging.dynamodb.table_definition import table_definition

from . import image
from .templates import every_resource, resolved, source, template

ROOT = Path(__file__).parents[2]
HOLDS_DATA = {
    "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient", "AWS::DynamoDB::Table", "AWS::RDS::DBInstance",
    "AWS::SecretsManager::Secret",
}  # fmt: skip


def properties(part: str, name: str) -> dict[str, Any]:
    return dict(template(part)["Resources"][name]["Properties"])


def database_of(url: str) -> dict[str, Any]:
    """Return the settings' database for a DATABASE_URL."""
    return with_certificates(environ.Env.db_url_config(url))


def without_units(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_units(each) for name, each in value.items() if name != "ProvisionedThroughput"}
    return [without_units(each) for each in value] if isinstance(value, list) else value


def test_the_table_is_the_one_that_the_commands_make() -> None:
    made = without_units(table_definition("any", on_demand=True))

    deployed = without_units(properties("table", "Table"))
    for name in ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes"):
        assert deployed[name] == made[name]
    assert deployed["StreamSpecification"]["StreamViewType"] == made["StreamSpecification"]["StreamViewType"]


def test_small_begins_as_the_original_and_stays_within_the_free_tier() -> None:
    units = template("table")["Mappings"]["Units"]["small"]

    assert units["Least"] == table_definition("any", on_demand=False)["ProvisionedThroughput"]["ReadCapacityUnits"] == 5
    assert 3 * units["Most"] <= 25, "of the table and each of its two indexes"


def test_resources_with_data_survive_deleting_their_stack() -> None:
    holding = [(part, name, resource) for part, name, resource in every_resource() if resource["Type"] in HOLDS_DATA]

    assert len(holding) == 8
    for part, name, resource in holding:
        assert part in KEPT, name
        assert resource["DeletionPolicy"] == "Retain", name


def test_table_pool_and_database_are_protected_against_deletion() -> None:
    assert properties("table", "Table")["DeletionProtectionEnabled"] is True
    assert properties("table", "Table")["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties("pool", "Pool")["DeletionProtection"] == "ACTIVE"
    assert properties("database", "Database")["DeletionProtection"] is True


@pytest.mark.parametrize("part", ORDER)
def test_every_parameter_has_a_default_or_is_given_by_the_command_or_a_stack_before(part: str) -> None:
    before = ORDER[: ORDER.index(part)]
    handed_on = {name for each in before for name in template(each)["Outputs"]}
    by_the_command = set(re.findall(r'"([A-Z]\w+)":', (ROOT / "deploy" / "command_line.py").read_text())) | {
        "FunctionKey", "ImageUri"
    }  # fmt: skip

    needed = {name for name, each in template(part)["Parameters"].items() if "Default" not in each}
    assert needed <= handed_on | by_the_command


def test_no_two_stacks_hand_on_the_same_name() -> None:
    names = [name for part in ORDER for name in template(part)["Outputs"]]

    assert len(names) == len(set(names))


def test_kept_resources_do_not_use_the_deleted_key() -> None:
    assert template("base")["Resources"]["Key"]["DeletionPolicy"] == "Delete"
    assert "base" not in KEPT
    for part in KEPT:
        assert "KeyArn" not in template(part)["Parameters"], part


def test_every_skipped_check_says_why_and_what_it_would_cost() -> None:
    skipped = [
        (name, skip)
        for _, name, resource in every_resource()
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", ())
    ]

    assert skipped
    for name, skip in skipped:
        assert re.fullmatch(r"CKV_AWS_\d+", skip["id"]), name
        assert re.search(r"\d USD", skip["comment"]), f"{name}, {skip['id']}: no price"
        assert len(skip["comment"].split()) > 20, f"{name}, {skip['id']}: no reason"
    # A comment would be skipped by checkov, too, and held by nothing here.
    assert not [part for part in ORDER if "checkov:skip" in source(part)]


def test_the_function_is_called_for_conversations_and_bounded() -> None:
    mapping = properties("stream", "Mapping")

    (only,) = mapping["FilterCriteria"]["Filters"]
    assert json.loads(only["Pattern"]) == {
        "eventName": ["INSERT", "MODIFY"],
        "dynamodb": {"Keys": {"sk": {"S": ["#CONVERSATION"]}}},
    }
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert 0 < mapping["MaximumRetryAttempts"] < 100
    assert 0 < mapping["MaximumRecordAgeInSeconds"] < 24 * 3600
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"] == {"Fn::GetAtt": ["Failures", "Arn"]}


def test_user_text_is_in_no_log_of_postgres() -> None:
    """psycopg puts values into statements, and the bus's have texts of messages."""
    written = properties("database", "Parameters")["Parameters"]

    assert written["log_statement"] == "none"
    assert written["log_min_duration_statement"] == "-1"
    assert written["log_min_error_statement"] == "panic"
    assert written["log_error_verbosity"] == "terse"


def test_image_and_function_run_the_python_of_the_tests() -> None:
    (wanted,) = re.findall(r'python_version = "([\d.]+)"', (ROOT / "pyproject.toml").read_text())

    bases = {arguments.split()[0] for name, arguments in image.instructions() if name == "FROM" and ":" in arguments}
    assert {re.match(r"python:([\d.]+)-", base)[1] for base in bases} == {wanted}  # type: ignore[index]
    assert properties("stream", "Function")["Runtime"] == f"python{wanted}"


def test_every_alarm_reaches_somebody_and_says_what_is_wrong() -> None:
    alarms = [(name, each) for _, name, each in every_resource() if each["Type"] == "AWS::CloudWatch::Alarm"]

    assert len(alarms) > 15
    for name, alarm in alarms:
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": "AlarmTopicArn"}], name
        assert len(alarm["Properties"]["AlarmDescription"]) > 20, name


def test_table_and_each_index_have_alarms_on_use_and_throttling() -> None:
    text = source("table")

    for place in ("Table", "Inbox", "Group"):
        for alarm in ("ReadUse", "WriteUse", "Throttle"):
            assert f"  {place}{alarm}Alarm:" in text


@pytest.mark.parametrize("task", ["Web", "Worker", "Operator"])
def test_no_container_is_root_or_can_write_or_has_a_secret_in_the_open(task: str) -> None:
    (container,) = properties("tasks", task)["ContainerDefinitions"]

    assert container["ReadonlyRootFilesystem"] is True
    assert container["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
    assert image.only("USER").split(":")[0] != "0"
    secret = {each["Name"] for each in container["Secrets"]}
    of_the_owner = {"MIGRATION_PGPASSWORD"} if task == "Operator" else set()
    assert secret == {"SECRET_KEY", "SECRET_KEY_FALLBACKS", "PGPASSWORD", "OIDC_RP_CLIENT_SECRET"} | of_the_owner
    assert not secret & {each["Name"] for each in container["Environment"]}


def test_the_three_containers_have_the_same_variables_but_for_the_stream_and_the_migration_role() -> None:
    web, *others = [properties("tasks", task)["ContainerDefinitions"][0] for task in ("Web", "Worker", "Operator")]
    stream = {"Name": "AWS_ENDPOINT_URL_DYNAMODB_STREAMS", "Value": {"Ref": "StreamEndpointUrl"}}

    for other, owner in zip(others, (False, True), strict=True):
        more = [each for each in other["Environment"] if each not in web["Environment"]]
        assert more[0] == stream
        assert [each["Name"] for each in more[1:]] == ["MIGRATION_DATABASE_URL"] * owner
        assert len(other["Environment"]) == len(web["Environment"]) + len(more)
        secrets = [each["Name"] for each in other["Secrets"] if each not in web["Secrets"]]
        assert secrets == ["MIGRATION_PGPASSWORD"] * owner


@pytest.mark.parametrize("task", ["Web", "Worker", "Operator"])
def test_the_site_signs_in_to_postgres_with_a_role_that_owns_no_table(task: str) -> None:
    (container,) = properties("tasks", task)["ContainerDefinitions"]
    variables = {each["Name"]: json.dumps(each["Value"]) for each in container["Environment"]}
    secrets = {each["Name"]: json.dumps(each["ValueFrom"]) for each in container["Secrets"]}

    assert "postgres://cruddur_app@" in variables["DATABASE_URL"]
    assert "ApplicationSecretArn" in secrets["PGPASSWORD"]
    assert properties("database", "Database")["MasterUsername"] == "cruddur"
    if task == "Operator":
        assert variables["MIGRATION_DATABASE_URL"] == variables["DATABASE_URL"].replace("cruddur_app@", "cruddur@")
        assert "${DatabaseSecretArn}" in secrets["MIGRATION_PGPASSWORD"]


@pytest.mark.parametrize("task", ["Web", "Worker", "Operator"])
def test_postgres_and_the_bus_have_to_prove_who_they_are(
    task: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (container,) = properties("tasks", task)["ContainerDefinitions"]
    known = {
        "DatabaseHost": "cruddur.abcdefghijkl.eu-central-1.rds.amazonaws.com", "DatabasePort": "5432",
        "Bus.PrimaryEndPoint.Address": "bus.example.com", "Bus.PrimaryEndPoint.Port": "6379",
    }  # fmt: skip
    variables = {each["Name"]: each["Value"] for each in container["Environment"]}
    settings.PRODUCTION = True
    monkeypatch.setitem(settings.DATABASES, "default", database_of(resolved(variables["DATABASE_URL"], known)))
    migration = variables.get("MIGRATION_DATABASE_URL", variables["DATABASE_URL"])
    settings.MIGRATION_DATABASE = database_of(resolved(migration, known))
    settings.REDIS_URL = resolved(variables["REDIS_URL"]["Fn::If"][1], known)

    assert not {"cruddur.E024", "cruddur.E025"} & {each.id for each in check_settings(None)}
    assert settings.DATABASES["default"]["OPTIONS"]["sslmode"] == "verify-full"


def test_every_variable_of_the_containers_is_a_setting() -> None:
    example = set(re.findall(r"\b[A-Z_]+\b", (ROOT / ".env.example").read_text()))
    container = properties("tasks", "Worker")["ContainerDefinitions"][0]
    named = {each["Name"] for each in (*container["Environment"], *container["Secrets"])}

    assert named - example == {"PGPASSWORD"}, "which is the Postgres library's own"


def test_the_pool_asks_for_long_passwords_and_tells_nothing_of_accounts() -> None:
    pool, client = properties("pool", "Pool"), properties("pool", "Client")

    assert pool["Policies"]["PasswordPolicy"]["MinimumLength"] == 12
    assert (pool["MfaConfiguration"], pool["EnabledMfas"]) == ("OPTIONAL", ["SOFTWARE_TOKEN_MFA"])
    assert pool["UserAttributeUpdateSettings"] == {"AttributesRequireVerificationBeforeUpdate": ["email"]}
    assert client["PreventUserExistenceErrors"] == "ENABLED"


def test_everything_stored_on_aws_is_encrypted() -> None:
    """Secrets Manager and ECR encrypt unasked; every other store says with what."""
    says = {
        "AWS::DynamoDB::Table": "SSESpecification",
        "AWS::ECR::Repository": "EncryptionConfiguration",
        "AWS::ElastiCache::ReplicationGroup": "AtRestEncryptionEnabled",
        "AWS::Logs::LogGroup": "KmsKeyId",
        "AWS::RDS::DBInstance": "StorageEncrypted",
        "AWS::S3::Bucket": "BucketEncryption",
        "AWS::SNS::Topic": "KmsMasterKeyId",
        "AWS::SQS::Queue": "KmsMasterKeyId",
    }
    stores = [(name, each) for _, name, each in every_resource() if each["Type"] in says]

    assert {each["Type"] for _, each in stores} == says.keys()
    for name, each in stores:
        assert each["Properties"].get(says[each["Type"]]), name
