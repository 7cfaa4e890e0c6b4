"""Store Django's one-time messages in a cookie with the site's own name, and long ones in the session."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class NamedCookieStorage(CookieStorage):
    """Keep messages in the cookie that cruddur/web/cookies.py names."""

    cookie_name = settings.COOKIES.messages


class MessageStorage(FallbackStorage):
    """The storage for the setting MESSAGE_STORAGE."""

    storage_classes = (NamedCookieStorage, SessionStorage)
