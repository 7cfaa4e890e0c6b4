"""Puts our admin site in the place of Django's. Apart from the site, which needs the models that come later."""

from django.contrib.admin.apps import AdminConfig


class ModerationAdminConfig(AdminConfig):
    default_site = "moderation.admin_site.ModerationAdminSite"
