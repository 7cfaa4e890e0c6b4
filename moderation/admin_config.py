"""Replace Django's admin site with ours. Apart from the site, which imports models that are not loaded yet."""

from django.contrib.admin.apps import AdminConfig


class ModerationAdminConfig(AdminConfig):
    default_site = "moderation.admin_site.ModerationAdminSite"
