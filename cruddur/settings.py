"""Settings, read from the environment; `.env.example` explains every variable.

Safe by default: no secret key, no debug and no server is assumed. Malformed values are refused here, all at once
(`cruddur/variables.py` lists the variables and their formats); what is missing or contradictory is reported by
`cruddur/checks.py` with a hint. The process environment wins over `.env`, and that over `.local/env`, which
`make run` writes so that every command acts on the local stack.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from cruddur.postgres.tls import with_certificates
from cruddur.web.cookies import cookie_names

from . import __version__
from .environment import Environment, Misconfigured, read_files
from .net import bypass_proxies

BASE_DIR = Path(__file__).resolve().parent.parent

try:
    read_files(BASE_DIR)
    env = Environment(os.environ)
except Misconfigured as problems:
    raise ImproperlyConfigured(str(problems)) from None
bypass_proxies()

CRUDDUR_ENV = env.text("CRUDDUR_ENV", "local")
LOCAL_DIR = env.directory("CRUDDUR_LOCAL_DIR", BASE_DIR / ".local")

PRODUCTION = CRUDDUR_ENV == "production"
# What runs: `/healthz` and `/readyz` say it. A deployment sets the commit it was built from.
VERSION = env.text("CRUDDUR_VERSION", "") or __version__
DEBUG = env.boolean("DEBUG", False)
SECRET_KEY = env.text("SECRET_KEY", "")
SECRET_KEY_FALLBACKS = env.texts("SECRET_KEY_FALLBACKS", [])

# The origin people type. Everything that depends on the scheme or the host follows from it.
APP_URL = env.text("APP_URL", "").rstrip("/")
SECURE = urlsplit(APP_URL).scheme == "https"
ALLOWED_HOSTS = env.texts("ALLOWED_HOSTS", [host] if (host := urlsplit(APP_URL).hostname) else [])
# Only then is anything believed that a proxy says of a request.
BEHIND_PROXY = env.boolean("BEHIND_PROXY", False)
CSRF_TRUSTED_ORIGINS = [APP_URL] if APP_URL else []

INSTALLED_APPS = [
    "users",
    "users.sessions",
    "messaging",
    "moderation",
    "legacy_import",
    "cruddur.apps.CruddurConfig",
    "moderation.admin_config.ModerationAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "csp",
    "mozilla_django_oidc",
]

MIDDLEWARE = [
    # What every answer has, whoever gives it: before all that may answer by itself.
    "cruddur.web.middleware.CacheControlMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "messaging.middleware.HealthMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "cruddur.web.body_limit.BodyLimitMiddleware",
    # Lengths tell little of what is in a page (BREACH): docs/architecture.md says why.
    "django.middleware.gzip.GZipMiddleware",
    "cruddur.web.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "cruddur.web.middleware.TrailingSlashMiddleware",
    "django.middleware.common.CommonMiddleware",
    "cruddur.web.reject_malformed.RejectMalformedMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "cruddur.web.address_limits.AddressLimitMiddleware",
    "cruddur.web.middleware.TimezoneMiddleware",
    "messaging.middleware.ErrorResponseMiddleware",
]

ROOT_URLCONF = "cruddur.urls"
ASGI_APPLICATION = "cruddur.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            # Every template has words in it.
            "builtins": ["django.templatetags.i18n"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "cruddur.web.preferences.preferences",
                "moderation.notices.waiting_notice",
            ],
        },
    },
]

# --- People -----------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "users.User"
# The handle is unique by constraints (whatever the case, whatever looks alike), not by `unique=True`.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
# Every session holds this name: see users/oidc.py.
AUTHENTICATION_BACKENDS = ["users.oidc.CognitoBackend"]
LOGIN_URL = "landing"  # where a button signs in: no link and no other site's page does
LOGIN_REDIRECT_URL = "/messages"
LOGIN_REDIRECT_URL_FAILURE = "/sign-in-failed"
LOGOUT_REDIRECT_URL = "/"

DATABASES = {"default": with_certificates(environ.Env.db_url_config(env.text("DATABASE_URL", "postgres:///")))}
# Seconds for a connection, sign-in included: a server that is away, or stopped, is told soon.
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
# The same database as the role that owns its tables; None where one role does both. See cruddur/postgres/roles.py.
MIGRATION_DATABASE = None
if _migration_url := env.text("MIGRATION_DATABASE_URL"):
    MIGRATION_DATABASE = with_certificates(environ.Env.db_url_config(_migration_url))
    MIGRATION_DATABASE["PASSWORD"] = MIGRATION_DATABASE["PASSWORD"] or env.text("MIGRATION_PGPASSWORD")
# Of a web process, and 0 for none, as in all others: each request then opens a connection, which takes longer than all
# of its statements. Connections that persist (CONN_MAX_AGE) do not help: under ASGI each belongs to a thread that may
# never come back, measured to leak.
DATABASE_POOL = env.number("DATABASE_POOL", 20) if "CRUDDUR_WEB_PROCESS" in os.environ else 0
if DATABASE_POOL:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": DATABASE_POOL,
        "max_idle": 60.0,
        # A request that gets none within as many seconds is answered with 503; who is away is asked again this often.
        "timeout": 3.0,
        "reconnect_timeout": 3.0,
        "num_workers": 1,
    }
# What tells the web processes of each other's messages: Redis or Valkey when this is set, else Postgres.
REDIS_URL = env.text("REDIS_URL", "")
# In one process; open streams are none of them: see cruddur.web.concurrency_limit.
REQUESTS_AT_ONCE = env.number("REQUESTS_AT_ONCE", 4)
# Of more streams of one person in one process, the oldest end.
LIVE_STREAMS_A_PERSON = env.number("LIVE_STREAMS_A_PERSON", 10)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SESSION_ENGINE = "users.sessions.store"
# Idle and absolute session lifetime, in seconds.
SESSION_COOKIE_AGE = env.number("SESSION_IDLE_DAYS", 14) * 24 * 3600
SESSION_ABSOLUTE_AGE = env.number("SESSION_DAYS", 30) * 24 * 3600
COOKIES = cookie_names(APP_URL)
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME, LANGUAGE_COOKIE_NAME = COOKIES.session, COOKIES.csrf, COOKIES.language
MESSAGE_STORAGE = "cruddur.web.flash_messages.MessageStorage"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE
CSRF_FAILURE_VIEW = "cruddur.web.errors.csrf_failure"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SIGNED_COOKIE_LEGACY_SALT_FALLBACK = False

# --- Rates ------------------------------------------------------------------------------------------------

# How often at once, and over which time as often again (cruddur/web/rate_limits.py); which are taken at which address
# is in cruddur/web/address_limits.py.
RATE_LIMITS = {
    "messages": env.text("RATE_MESSAGES", "30/30s"),
    "messages_to_one": env.text("RATE_MESSAGES_TO_ONE", "25/30s"),
    "new_conversations": env.text("RATE_NEW_CONVERSATIONS", "30/d"),
    "new_conversations_new_account": env.text("RATE_NEW_CONVERSATIONS_NEW_ACCOUNT", "10/d"),
    "reports": env.text("RATE_REPORTS", "10/h"),
    "searches": env.text("RATE_SEARCHES", "60/min"),
    "streams": env.text("RATE_STREAMS", "60/min"),
    "exports": env.text("RATE_EXPORTS", "3/d"),
    "sign_ins": env.text("RATE_SIGN_INS", "60/10min"),
    "pages": env.text("RATE_PAGES", "300/min"),
    "sends": env.text("RATE_SENDS", "300/min"),
    "updates": env.text("RATE_UPDATES", "1200/min"),
    "typing": env.text("RATE_TYPING", "120/min"),
    "read_marks": env.text("RATE_READ_MARKS", "240/min"),
    "changes": env.text("RATE_CHANGES", "120/min"),
    "blocks": env.text("RATE_BLOCKS", "60/h"),
    "handles": env.text("RATE_HANDLES", "60/10min"),
    "admin": env.text("RATE_ADMIN", "300/min"),
}
NEW_ACCOUNT_DAYS = env.number("NEW_ACCOUNT_DAYS", 7)

# --- Messages -------------------------------------------------------------------------------------------------

# Whether a first message waits until its receiver accepts.
MESSAGE_REQUESTS = env.boolean("MESSAGE_REQUESTS", PRODUCTION)
# How long a request waits at most while others write into its conversation; 0 turns the queue off.
SEND_QUEUE_SECONDS = env.number("SEND_QUEUE_SECONDS", 2)

# --- AWS --------------------------------------------------------------------------------------------------

AWS_REGION = env.text("AWS_REGION", env.text("AWS_DEFAULT_REGION", "us-east-1"))
_AWS_ENDPOINT_URL = env.text("AWS_ENDPOINT_URL", "") or None
DYNAMODB_ENDPOINT_URL = env.text("AWS_ENDPOINT_URL_DYNAMODB", "") or _AWS_ENDPOINT_URL
# Emulators serve the streams where they serve the table; AWS has a host of its own for them.
DYNAMODB_STREAMS_ENDPOINT_URL = env.text("AWS_ENDPOINT_URL_DYNAMODB_STREAMS", "") or (
    DYNAMODB_ENDPOINT_URL if "amazonaws.com" not in (DYNAMODB_ENDPOINT_URL or "") else None
)
COGNITO_ENDPOINT_URL = env.text("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "") or _AWS_ENDPOINT_URL
DDB_MESSAGE_TABLE = env.text("DDB_MESSAGE_TABLE", "cruddur-messages")

COGNITO_USER_POOL_ID = env.text("COGNITO_USER_POOL_ID", "")
COGNITO_DOMAIN = env.text("COGNITO_DOMAIN", "").rstrip("/")
OIDC_RP_CLIENT_ID = env.text("OIDC_RP_CLIENT_ID", "")
OIDC_RP_CLIENT_SECRET = env.text("OIDC_RP_CLIENT_SECRET", "")
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_RP_SCOPES = "openid email profile"
OIDC_OP_ISSUER = env.text("OIDC_OP_ISSUER", f"https://cognito-idp.{AWS_REGION}.amazonaws.com/{COGNITO_USER_POOL_ID}")
OIDC_OP_JWKS_ENDPOINT = env.text("OIDC_OP_JWKS_ENDPOINT", f"{OIDC_OP_ISSUER}/.well-known/jwks.json")
OIDC_OP_AUTHORIZATION_ENDPOINT = f"{COGNITO_DOMAIN}/oauth2/authorize"
OIDC_OP_TOKEN_ENDPOINT = f"{COGNITO_DOMAIN}/oauth2/token"
OIDC_OP_USER_ENDPOINT = f"{COGNITO_DOMAIN}/oauth2/userInfo"
OIDC_USE_PKCE = True
OIDC_PKCE_CODE_CHALLENGE_METHOD = "S256"
OIDC_CALLBACK_CLASS = "users.cognito.views.CallbackView"
OIDC_AUTHENTICATE_CLASS = "users.cognito.views.SignInView"
OIDC_OP_LOGOUT_URL_METHOD = "users.cognito.oidc.cognito_sign_out_url"
OIDC_TIMEOUT = 5  # seconds, for each request to Cognito

# --- Browsers ---------------------------------------------------------------------------------------------

# Longest body of a request, in bytes: the longest form of the site has a twentieth. Nothing takes files.
BODY_MAX_BYTES = DATA_UPLOAD_MAX_MEMORY_SIZE = FILE_UPLOAD_MAX_MEMORY_SIZE = env.number("BODY_MAX_BYTES", 256 * 1024)
DATA_UPLOAD_MAX_NUMBER_FILES = 0
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]  # load balancers ask over http and take no redirect for an answer
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
PERMISSIONS_POLICY: dict[str, list[str]] = {
    feature: [] for feature in ("camera", "geolocation", "microphone", "payment", "usb")
}
# form-action names Cognito's origin because Chromium also holds the redirects of a posted form against it.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],  # the nonce is for the import map, in pages that have one
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF, *([COGNITO_DOMAIN] if COGNITO_DOMAIN else [])],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "cruddur.assets.storage.JoinedStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# English is shipped; another language is a catalogue under locale/ and a line here.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

# Metrics and traces over OTLP, when there is somewhere to send them; OpenTelemetry reads its other variables itself.
TELEMETRY = bool(env.text("OTEL_EXPORTER_OTLP_ENDPOINT", ""))
# What each page cost, on the page and in its headers. Whatever is set: never in production.
DEBUG_PANEL = env.boolean("DEBUG_PANEL", CRUDDUR_ENV == "local") and not PRODUCTION
if DEBUG_PANEL:
    MIDDLEWARE.insert(
        MIDDLEWARE.index("django.middleware.gzip.GZipMiddleware") + 1,
        "messaging.views.debug_panel.DebugPanelMiddleware",
    )

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        "json": {"()": "cruddur.observability.log.JsonLines"},
    },
    "filters": {
        "without_health_checks": {"()": "cruddur.observability.log.WithoutHealthChecks"},
        "without_query": {"()": "cruddur.observability.log.WithoutQuery"},
        "with_request_id": {"()": "cruddur.observability.log.WithRequestId"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "json" if env.boolean("LOG_JSON", PRODUCTION) else "line",
            "filters": ["with_request_id"],
        }
    },
    "loggers": {
        "uvicorn.access": {
            "handlers": ["stderr"],
            "filters": ["without_health_checks", "without_query"],
            "propagate": False,
        },
        # At DEBUG these write requests with message bodies, tokens and SQL parameters.
        "botocore": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
        "django.db.backends": {"level": "WARNING"},
    },
    "root": {"handlers": ["stderr"], "level": env.text("LOG_LEVEL", "INFO")},
}
