"""A Django site with nothing ahead of it: `DJANGO_SETTINGS_MODULE` says which."""

import os

from django.core.asgi import get_asgi_application

# Its connections to Postgres are kept as the site's are, so that what differs is the page.
os.environ.setdefault("CRUDDUR_WEB_PROCESS", "true")

application = get_asgi_application()
