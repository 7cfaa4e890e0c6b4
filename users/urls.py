from django.urls import path

from . import browser_settings_views, views
from .cognito import views as views_module

urlpatterns = [
    path("", views.landing, name="landing"),
    path("sign-in-failed", views_module.sign_in_failed, name="sign_in_failed"),
    path("sign-up", views_module.SignUpView.as_view(), name="sign_up"),
    path("forgot-password", views_module.ForgotPasswordView.as_view(), name="forgot_password"),
    # Ahead of the library's own, which would also take GET where a setting says so.
    path("oidc/logout/", views_module.SignOutView.as_view(), name="oidc_logout"),
    path("choose-handle", views_module.choose_handle, name="choose_handle"),
    path("@<str:handle>", views.profile, name="profile"),
    path("settings", views.own_settings, name="settings"),
    path("settings/privacy", views.privacy_settings, name="privacy_settings"),
    path("settings/browser", browser_settings_views.browser_settings, name="browser_settings"),
    path("shortcuts", browser_settings_views.shortcuts, name="shortcuts"),
]
