"""A django-postman site as `startproject` creates it, with our database and people."""

from pathlib import Path

from tools.bench.bare.settings import *  # noqa: F403
from tools.bench.bare.settings import INSTALLED_APPS, TEMPLATES

INSTALLED_APPS = [*INSTALLED_APPS, "postman"]
ROOT_URLCONF = "tools.bench.postman_site.urls"
# django-postman requires a base.html of the site.
TEMPLATES = [{**TEMPLATES[0], "DIRS": [Path(__file__).parent / "templates"]}]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
POSTMAN_AUTO_MODERATE_AS = True
POSTMAN_DISABLE_USER_EMAILING = True
POSTMAN_NOTIFIER_APP = None
POSTMAN_MAILER_APP = None
POSTMAN_SHOW_USER_AS = "display_name"
