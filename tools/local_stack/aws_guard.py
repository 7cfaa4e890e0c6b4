"""The guard in front of the AWS emulator: admits only the site, its commands and the sign-in pages.

Any page in a developer's browser can send requests to loopback. ministack accepts any Host, Origin and key, for a
hundred services, one of which runs code. The guard therefore rejects

- a Host that is not this emulator by its loopback name (DNS rebinding),
- requests from pages of another origin, except top-level visits of the sign-in pages,
- services and paths that are not on the list,
- service requests that are not signed with the stack's own key: with AUTH=true ministack verifies signatures of an
  IAM user's key, but not of root keys (`test`, any twelve digits),

and removes headers that would let another origin read a response. docs/local-stack.md has the details.
"""

import json
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

HEALTH = "/_local/health"
"""Answered by the guard itself, because the emulator's own response reveals its components."""
SIGN_IN_PAGES = frozenset(("/oauth2/authorize", "/logout"))
SIGN_IN_FORM = "/login"
TOKENS = "/oauth2/token"
SIGNING_KEYS = re.compile(r"/[a-z0-9-]+_[A-Za-z0-9]+/\.well-known/jwks\.json")
TARGETS = {
    "dynamodb": ("DynamoDB_20120810.", "DynamoDBStreams_20120810."),
    "cognito-idp": ("AWSCognitoIdentityProviderService.",),
}
"""Prefix of `X-Amz-Target`, by the service in the signature's scope."""
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([A-Za-z0-9]+)/\d{8}/[a-z0-9-]+/([a-z0-9-]+)/aws4_request, ?"
    r"SignedHeaders=[a-z0-9;_-]+, ?Signature=[0-9a-f]{64}"
)
DECIDING = ("host", "origin", "authorization", "x-amz-target", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest")
QUERY_CREDENTIALS = frozenset(("x-amz-credential", "x-amz-algorithm", "x-amz-signature", "awsaccesskeyid", "signature"))
ANSWERS_HAVE = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


@dataclass(frozen=True)
class Refusal(Exception):
    """Why a request is rejected: AWS's error code and a sentence."""

    code: str
    sentence: str
    status: int = 403


@dataclass(frozen=True)
class Request:
    """Parts of a request that the rules check. Header names are lower-case; `headers` has the last value of each."""

    method: str
    path: str
    query: str
    headers: dict[str, str]

    @property
    def site(self) -> str:
        """What the browser says of the page that sends it; "" for programs."""
        return self.headers.get("sec-fetch-site", "")

    def is_visit(self) -> bool:
        """Return whether this is a top-level GET navigation, not a frame, script or posted form."""
        return (
            self.method == "GET"
            and self.headers.get("sec-fetch-mode") == "navigate"
            and self.headers.get("sec-fetch-dest") == "document"
        )


class Guard:
    """The ASGI application in front of the emulator.

    `more_services` are further services for tests, by ministack's names; their requests must be signed as well.
    `issued` returns whether the emulator itself issued a key, for a role of such a service.
    """

    def __init__(
        self,
        app: Application,
        *,
        port: int,
        key_id: str,
        more_services: Collection[str] = (),
        service_of: Callable[[Request], str] = lambda request: "",
        issued: Callable[[str], bool] = lambda key_id: False,
    ) -> None:
        self.app = app
        self.hosts = frozenset((f"localhost:{port}", f"127.0.0.1:{port}"))
        self.key_id = key_id
        self.more_services = frozenset(more_services)
        self.service_of = service_of
        self.issued = issued

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await receive()
            await send(
                {"type": "websocket.close", "code": 1008}
            )  # closed before it is accepted: the browser gets a 403
            return
        try:
            request = self.read(scope)
            self.check_host(request)
            self.check_origin(request)
            if request.path == HEALTH and request.method == "GET":
                await respond(send, 200, b"ok\n", b"text/plain")
                return
            self.check_service(request)
        except Refusal as refusal:
            if any(name.lower() == b"x-amz-target" for name, _ in scope["headers"]):
                # In the services' error format, so that their clients show the sentence.
                body = json.dumps({"__type": refusal.code, "message": refusal.sentence})
                await respond(send, refusal.status, body.encode(), b"application/x-amz-json-1.1")
            else:
                await respond(send, refusal.status, f"{refusal.sentence}\n".encode(), b"text/plain")
            return

        async def send_unreadable(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*without_cors(message.get("headers", ())), *ANSWERS_HAVE]}
            await send(message)

        await self.app(scope, receive, send_unreadable)

    def read(self, scope: Scope) -> Request:
        """Parse a request. Raises Refusal if a relevant header occurs twice: the emulator might use the other one."""
        found = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        names = [name for name, _ in found]
        for name in DECIDING:
            if names.count(name) > 1:
                raise Refusal("InvalidRequest", f"The header {name} is there twice.", 400)
        return Request(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), dict(found))

    def check_host(self, request: Request) -> None:
        """Raise Refusal for any Host that the stack does not use itself."""
        if request.headers.get("host", "").lower() not in self.hosts:
            raise Refusal("AccessDeniedException", "This emulator answers for its loopback address alone.", 421)

    def check_origin(self, request: Request) -> None:
        """Raise Refusal for requests from pages of another origin. Top-level visits of a sign-in page pass."""
        own = f"http://{request.headers['host'].lower()}"
        if request.is_visit() and request.path in SIGN_IN_PAGES and request.headers.get("origin", "null") == "null":
            return
        if request.headers.get("origin", own) != own or request.site not in ("", "same-origin", "none"):
            raise Refusal("AccessDeniedException", "Pages of other origins have no business with this emulator.")
        if request.site == "none" and not request.is_visit():
            raise Refusal("AccessDeniedException", "Only visits come from no page.")

    def check_service(self, request: Request) -> None:
        """Raise Refusal unless it is a step of signing in or a signed request to an allowed service."""
        where = (request.method, request.path)
        if where in (("POST", SIGN_IN_FORM), ("POST", TOKENS)) or (
            request.method == "GET" and (request.path in SIGN_IN_PAGES or SIGNING_KEYS.fullmatch(request.path))
        ):
            return
        if request.path.startswith("/_") or request.method == "OPTIONS":
            raise Refusal("AccessDeniedException", "This emulator has neither administration nor preflights.")
        scope = self.check_key(request)
        target = request.headers.get("x-amz-target", "")
        if where == ("POST", "/") and not request.query and target.startswith(TARGETS.get(scope, ("\0",))):
            return
        if not (self.more_services and self.service_of(request) in self.more_services):
            raise Refusal("AccessDeniedException", "Only DynamoDB, its streams and user pools are served here.")

    def check_key(self, request: Request) -> str:
        """Return the service that the request is signed for. Raises Refusal unless it is signed with the stack's key.

        Whether the signature is right is for ministack to say, which has the request's body.
        """
        if not (authorization := request.headers.get("authorization")):
            raise Refusal("MissingAuthenticationTokenException", "Requests are signed with the key of the local stack.")
        if any(name.lower() in QUERY_CREDENTIALS for name, _ in parse_qsl(request.query, keep_blank_values=True)):
            raise Refusal("AccessDeniedException", "A signature stands in the header here.")
        if not (credential := AUTHORIZATION.fullmatch(authorization)):
            raise Refusal("IncompleteSignatureException", "Authorization is not of Signature Version 4.", 400)
        key_id, service = credential.groups()
        if key_id != self.key_id and not (self.more_services and self.issued(key_id)):
            raise Refusal("UnrecognizedClientException", "This is not the key of this local stack.", 400)
        return service


def without_cors(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
    return ((name, value) for name, value in headers if not name.lower().startswith(b"access-control-"))


async def respond(send: Send, status: int, body: bytes, kind: bytes) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *ANSWERS_HAVE]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
