"""The plain ASGI application of the Django site that `DJANGO_SETTINGS_MODULE` names."""

import os

from django.core.asgi import get_asgi_application

# Keep connections to Postgres as the site does, so that only the page differs.
os.environ.setdefault("CRUDDUR_WEB_PROCESS", "true")

application = get_asgi_application()
