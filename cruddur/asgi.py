"""The ASGI application that uvicorn serves."""

import os
import sys
import warnings

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cruddur.settings")
# The settings, which are read next, give this process a pool of connections; what it starts is not a web process.
os.environ["CRUDDUR_WEB_PROCESS"] = "true"
try:
    settings.SECRET_KEY  # noqa: B018 - reads all settings, and is what Django itself insists on
except ImproperlyConfigured as problem:
    # The server's log gets the sentence instead of a traceback through the server.
    sys.stderr.write(f"{problem}\n")
    sys.exit(1)
# What Postgres calls the sessions of this process: `db_sessions` shows it.
os.environ.setdefault("PGAPPNAME", "cruddur web")

# whitenoise hands static files over as synchronous iterators, which Django reads whole: they are small.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

from .observability import export  # noqa: E402 - reads the settings

export.start("web")
django = get_asgi_application()
del os.environ["CRUDDUR_WEB_PROCESS"]

# After Django is set up: the streams use its models.
from cruddur.asgi_types import Application  # noqa: E402
from cruddur.observability.request_id import RequestId  # noqa: E402
from cruddur.postgres.housekeeping import Housekeeping  # noqa: E402
from cruddur.web.body_limit import BodyLimit  # noqa: E402
from cruddur.web.concurrency_limit import ConcurrencyLimit  # noqa: E402
from cruddur.web.reject_malformed import RejectMalformed  # noqa: E402
from messaging.actions.send_queue import SendQueue  # noqa: E402
from messaging.realtime.endpoint import LiveApplication  # noqa: E402


def site(pages: Application) -> Application:
    """Put what comes before Django around its handler.

    The queue is outside the turns: a request that waits for others in its conversation holds no turn.
    """
    turns = ConcurrencyLimit(pages, at_once=settings.REQUESTS_AT_ONCE)
    return RequestId(RejectMalformed(Housekeeping(LiveApplication(BodyLimit(SendQueue(turns))))))


application = site(django)
