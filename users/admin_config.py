"""Puts our admin site in the place of Django's. Apart from the site, which needs the models that come later."""

from django.contrib.admin.apps import AdminConfig


class CruddurAdminConfig(AdminConfig):
    default_site = "users.admin_site.CruddurAdminSite"
