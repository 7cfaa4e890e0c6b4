"""Who may ask the AWS emulator what: each rule of the guard, with the bytes that a client sends."""

import http.client
import json
from collections.abc import Iterator, Mapping, Sequence

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth  # noqa: TID251 - signs what no client of ours would send
from botocore.awsrequest import AWSRequest  # noqa: TID251
from botocore.credentials import Credentials  # noqa: TID251

from tools.local_stack.aws import AwsEmulator
from tools.local_stack.aws_guard import HEALTH
from tools.local_stack.cognito_pool import Pool, ensure_pool
from tools.local_stack.key import LocalKey

LIST_TABLES = "DynamoDB_20120810.ListTables"
LIST_POOLS = "AWSCognitoIdentityProviderService.ListUserPools"
SITE = "http://localhost:8000"
VISIT = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsEmulator]:
    emulator = AwsEmulator(tmp_path_factory.mktemp("guarded") / "aws", persist=False)
    emulator.start()
    yield emulator
    emulator.stop()


@pytest.fixture(scope="module")
def pool(emulator: AwsEmulator) -> Pool:
    return ensure_pool(endpoint_url=emulator.url, public_url=emulator.public_url, region="us-east-1", app_urls=[SITE])


@pytest.fixture
def sign_in_page(pool: Pool) -> str:
    return (
        f"/oauth2/authorize?response_type=code&scope=openid&state=s&client_id={pool.client_id}"
        f"&redirect_uri={SITE}/oidc/callback/"
    )


Headers = Mapping[str, str] | Sequence[tuple[str, str]]


def ask(
    emulator: AwsEmulator, method: str = "GET", path: str = "/", headers: Headers = (), body: bytes = b""
) -> tuple[int, dict[str, str], str]:
    """Send exactly these headers, with the right Host unless they have one."""
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    connection = http.client.HTTPConnection("127.0.0.1", emulator.port, timeout=60)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    if not any(name.lower() == "host" for name, _ in pairs):
        pairs.append(("Host", f"127.0.0.1:{emulator.port}"))
    for name, value in [*pairs, ("Content-Length", str(len(body)))]:
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    found = {name.lower(): value for name, value in answer.getheaders()}
    text = answer.read().decode()
    connection.close()
    return answer.status, found, text


def signed(
    emulator: AwsEmulator,
    target: str = LIST_TABLES,
    *,
    key: LocalKey | None = None,
    service: str = "dynamodb",
    method: str = "POST",
    path: str = "/",
    body: bytes = b"{}",
) -> dict[str, str]:
    """Return the headers of a request signed for a service."""
    key = key or emulator.key
    request = AWSRequest(method, f"{emulator.url}{path}", headers={"X-Amz-Target": target}, data=body)
    SigV4Auth(Credentials(key.key_id, key.secret), service, "us-east-1").add_auth(request)
    return dict(request.headers.items())


def make_pool(emulator: AwsEmulator) -> None:
    """Create a user pool, which is saved together with the keys."""
    body = b'{"PoolName":"any"}'
    headers = signed(emulator, "AWSCognitoIdentityProviderService.CreateUserPool", service="cognito-idp", body=body)
    assert ask(emulator, "POST", headers=headers, body=body)[0] == 200


def code(text: str) -> str:
    return str(json.loads(text)["__type"]).rpartition("#")[2]


def test_signed_request_to_served_service_is_answered(emulator: AwsEmulator) -> None:
    assert ask(emulator, "POST", headers=signed(emulator), body=b"{}")[0] == 200
    assert ask(emulator, "POST", headers=signed(emulator, LIST_POOLS, service="cognito-idp", body=b'{"MaxResults":1}'),
               body=b'{"MaxResults":1}')[0] == 200  # fmt: skip


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:{port}", "localhost", "127.0.0.1", "localhost:1", "localhost.:{port}",
        "127.1:{port}", "2130706433:{port}", "0x7f.0.0.1:{port}", "0.0.0.0:{port}", "127.0.0.2:{port}", "[::1]:{port}",
        "bucket.localhost:{port}", "localhost:{port}.evil.example", "user@localhost:{port}", "localhost:{port}/",
        "api.execute-api.localhost:{port}", "localhost:0{port}", "",
    ],
)  # fmt: skip
def test_other_host_is_refused_however_it_is_spelled(emulator: AwsEmulator, host: str) -> None:
    status, _, _ = ask(
        emulator, "POST", headers={**signed(emulator), "Host": host.format(port=emulator.port)}, body=b"{}"
    )

    assert status == 421


def test_header_that_decides_may_not_be_there_twice(emulator: AwsEmulator) -> None:
    host = f"127.0.0.1:{emulator.port}"
    for twice in ("Host", "Authorization", "X-Amz-Target", "Origin", "Sec-Fetch-Site"):
        headers = {"Host": host, **signed(emulator), "Origin": emulator.url, "Sec-Fetch-Site": "same-origin"}

        assert ask(emulator, "POST", headers=[*headers.items(), (twice, headers[twice])], body=b"{}")[0] == 400


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", SITE, "http://localhost:{port}", "https://127.0.0.1:{port}", "file://"]
)
def test_other_origin_is_refused_even_with_a_signature(emulator: AwsEmulator, origin: str) -> None:
    headers = {**signed(emulator), "Origin": origin.format(port=emulator.port)}

    assert ask(emulator, "POST", headers=headers, body=b"{}")[0] == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "anything"])
def test_other_site_is_refused_even_with_a_signature(emulator: AwsEmulator, site: str) -> None:
    assert ask(emulator, "POST", headers={**signed(emulator), "Sec-Fetch-Site": site}, body=b"{}")[0] == 403


@pytest.mark.parametrize("key_id", ["test", "000000000000", "123456789012", "AKIAIOSFODNN7EXAMPLE", "cruddurlocal"])
def test_other_key_is_refused(emulator: AwsEmulator, key_id: str) -> None:
    """The first three are root keys to ministack, whose signatures it does not verify."""
    status, _, text = ask(emulator, "POST", headers=signed(emulator, key=LocalKey(key_id, "test")), body=b"{}")

    assert (status, code(text)) == (400, "UnrecognizedClientException")


def test_unsigned_request_is_refused(emulator: AwsEmulator) -> None:
    for target in (LIST_TABLES, LIST_POOLS, "AWSCognitoIdentityProviderService.SignUp"):
        assert ask(emulator, "POST", headers={"X-Amz-Target": target}, body=b"{}")[0] == 403


@pytest.mark.parametrize(
    ("target", "service", "body"),
    [
        (LIST_TABLES, "dynamodb", b"{}"),
        ("DynamoDBStreams_20120810.ListStreams", "dynamodb", b"{}"),
        (LIST_POOLS, "cognito-idp", b'{"MaxResults":1}'),
        ("AWSCognitoIdentityProviderService.SignUp", "cognito-idp", b"{}"),
        ("AWSCognitoIdentityProviderService.NoSuchOperation", "cognito-idp", b"{}"),
    ],
)
def test_wrong_signature_with_the_right_key_id_is_refused(
    emulator: AwsEmulator, target: str, service: str, body: bytes
) -> None:
    headers = signed(emulator, target, key=LocalKey(emulator.key.key_id, "guessed"), service=service, body=body)

    status, _, text = ask(emulator, "POST", headers=headers, body=body)

    assert 400 <= status < 404
    assert "ignature" in code(text)


def test_signature_of_another_body_is_refused(emulator: AwsEmulator) -> None:
    assert ask(emulator, "POST", headers=signed(emulator), body=b'{"Limit":1}')[0] == 400


def test_credentials_in_the_query_are_refused(emulator: AwsEmulator) -> None:
    key = emulator.key
    request = AWSRequest("POST", f"{emulator.url}/", headers={"X-Amz-Target": LIST_TABLES}, data=b"{}")
    SigV4QueryAuth(Credentials(key.key_id, key.secret), "dynamodb", "us-east-1").add_auth(request)
    path = str(request.url).removeprefix(emulator.url)
    root = "/?X-Amz-Credential=test/20260101/us-east-1/dynamodb/aws4_request"

    for presigned in (path, root, "/?AWSAccessKeyId=test"):
        assert ask(emulator, "POST", presigned, {"X-Amz-Target": LIST_TABLES}, b"{}")[0] == 403
        assert ask(emulator, "POST", presigned, signed(emulator), b"{}")[0] == 403


@pytest.mark.parametrize(
    ("method", "path", "service", "target"),
    [
        ("POST", "/2015-03-31/functions", "lambda", ""),
        ("POST", "/2015-03-31/functions/any/invocations", "lambda", ""),
        ("GET", "/", "s3", ""),
        ("PUT", "/bucket", "s3", ""),
        ("POST", "/", "iam", ""),
        ("POST", "/", "sts", ""),
        ("POST", "/", "ssm", "AmazonSSM.PutParameter"),
        ("POST", "/", "dynamodb", "AmazonSSM.PutParameter"),
        ("POST", "/", "cognito-idp", LIST_TABLES),
        ("POST", "/2015-03-31/functions", "dynamodb", LIST_TABLES),
        ("POST", "/?Action=CreateUser", "dynamodb", LIST_TABLES),
        ("POST", "/", "lambda", LIST_TABLES),
        ("GET", "/", "dynamodb", LIST_TABLES),
        ("POST", "/_ministack/reset", "dynamodb", LIST_TABLES),
        ("POST", "/_ministack/config", "dynamodb", LIST_TABLES),
        ("GET", "/_ministack/health", "dynamodb", LIST_TABLES),
        ("GET", "/_localstack/health", "dynamodb", ""),
        ("GET", "/health", "dynamodb", ""),
        ("POST", "/_aws/execute-api/a/b", "dynamodb", LIST_TABLES),
        ("POST", "/oauth2/userInfo", "dynamodb", LIST_TABLES),
        ("POST", "/saml2/idpresponse", "dynamodb", LIST_TABLES),
    ],
)
def test_only_served_services_are_reached_even_with_the_key(
    emulator: AwsEmulator, method: str, path: str, service: str, target: str
) -> None:
    headers = signed(emulator, target, service=service, method=method, path=path)

    assert ask(emulator, method, path, headers, b"{}")[0] == 403
    assert ask(emulator, method, path, {"X-Amz-Target": target}, b"{}")[0] == 403


def test_no_answer_lets_another_origin_read_it(emulator: AwsEmulator, pool: Pool, sign_in_page: str) -> None:
    answers = [
        ask(emulator, "POST", headers=signed(emulator), body=b"{}"),
        ask(emulator, "GET", sign_in_page),
        ask(emulator, "GET", f"/{pool.pool_id}/.well-known/jwks.json"),
        ask(emulator, "GET", HEALTH),
        ask(emulator, "GET", "/nothing"),
    ]

    assert [status for status, _, _ in answers] == [200, 200, 200, 200, 403]
    for _, headers, _ in answers:
        assert not [name for name in headers if name.startswith("access-control-")]
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("path", ["/", "/login", "/oauth2/authorize", HEALTH])
def test_no_preflight_is_answered(emulator: AwsEmulator, path: str) -> None:
    for origin in ({}, {"Origin": "http://evil.example"}, {"Origin": emulator.url}):
        headers = {**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-amz-target"}

        status, found, _ = ask(emulator, "OPTIONS", path, headers)

        assert status == 403
        assert not [name for name in found if name.startswith("access-control-")]


@pytest.mark.parametrize("site", ["cross-site", "same-site", "same-origin", "none"])
def test_visit_of_the_sign_in_page_passes_from_anywhere(emulator: AwsEmulator, sign_in_page: str, site: str) -> None:
    status, _, text = ask(emulator, "GET", sign_in_page, {**VISIT, "Sec-Fetch-Site": site})

    assert status == 200
    assert 'action="/login"' in text


@pytest.mark.parametrize(
    "how",
    [
        {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
        {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "object"},
        {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
        {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"},
    ],
)
def test_sign_in_page_is_no_part_of_another_page(emulator: AwsEmulator, sign_in_page: str, how: dict[str, str]) -> None:
    for site in ("cross-site", "same-site", "none"):
        assert ask(emulator, "GET", sign_in_page, {**how, "Sec-Fetch-Site": site})[0] == 403


def test_sign_in_form_is_taken_from_its_own_page_alone(emulator: AwsEmulator, pool: Pool) -> None:
    form = f"client_id={pool.client_id}&redirect_uri={SITE}/oidc/callback/&username=x&password=y".encode()
    post = {"Content-Type": "application/x-www-form-urlencoded", **VISIT}
    own = f"http://localhost:{emulator.port}"
    at = {"Host": f"localhost:{emulator.port}"}

    assert (
        ask(emulator, "POST", "/login", {**post, **at, "Origin": own, "Sec-Fetch-Site": "same-origin"}, form)[0] == 200
    )
    assert ask(emulator, "POST", "/login", {**post, **at, "Origin": own}, form)[0] == 200  # an old browser
    for other in ({"Origin": SITE}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"}):
        assert ask(emulator, "POST", "/login", {**post, **at, **other}, form)[0] == 403


def test_web_socket_is_refused(emulator: AwsEmulator) -> None:
    upgrade = {
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Origin": emulator.url,
    }  # fmt: skip
    for path in ("/", "/_aws/execute-api/a/b"):
        assert ask(emulator, "GET", path, upgrade)[0] == 403


def test_new_key_replaces_the_one_of_an_earlier_start(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("keys") / "aws"
    first = AwsEmulator(directory, key=LocalKey())
    first.start()
    make_pool(first)
    first.stop()
    second = AwsEmulator(directory, key=LocalKey())
    second.start()

    make_pool(second)
    assert ask(second, "POST", headers=signed(second, key=first.key), body=b"{}")[0] == 400
    second.stop()
    assert first.key.key_id not in (directory / "iam.json").read_text()
    assert (directory / "iam.json").stat().st_mode & 0o077 == 0


def test_more_services_are_guarded_alike(tmp_path_factory: pytest.TempPathFactory) -> None:
    emulator = AwsEmulator(tmp_path_factory.mktemp("more") / "aws", persist=False, services=["s3"])
    emulator.start()

    def asked(method: str, path: str, *, service: str = "s3", key: LocalKey | None = None, **more: str) -> int:
        headers = {**signed(emulator, "", service=service, method=method, path=path, key=key, body=b""), **more}
        return ask(emulator, method, path, headers)[0]

    answered = asked("GET", "/")
    refused = [
        asked("POST", "/_ministack/reset"),
        asked("GET", "/_ministack/health"),
        asked("OPTIONS", "/"),
        asked("OPTIONS", "/bucket", Origin=emulator.url),
        asked("GET", "/", Origin=SITE),
        asked("GET", "/?X-Amz-Credential=test/20260101/us-east-1/s3/aws4_request"),
        asked("GET", "/?AWSAccessKeyId=test&Signature=x"),
        asked("POST", "/2015-03-31/functions", service="lambda"),
    ]
    unknown = [asked("GET", "/", key=LocalKey(key_id, "test")) for key_id in ("test", "000000000000")]
    emulator.stop()

    assert answered == 200
    assert refused == [403] * len(refused)
    assert unknown == [400, 400]
