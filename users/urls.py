from django.urls import path

from . import browser_views, sign_in_views, views

urlpatterns = [
    path("", views.landing, name="landing"),
    path("sign-in-failed", sign_in_views.sign_in_failed, name="sign_in_failed"),
    path("sign-up", sign_in_views.SignUpView.as_view(), name="sign_up"),
    path("forgot-password", sign_in_views.ForgotPasswordView.as_view(), name="forgot_password"),
    # Ahead of the library's own, which would also take GET where a setting says so.
    path("oidc/logout/", sign_in_views.SignOutView.as_view(), name="oidc_logout"),
    path("choose-handle", sign_in_views.choose_handle, name="choose_handle"),
    path("@<str:handle>", views.profile, name="profile"),
    path("settings", views.own_settings, name="settings"),
    path("settings/privacy", views.privacy_settings, name="privacy_settings"),
    path("settings/browser", browser_views.browser_settings, name="browser_settings"),
    path("shortcuts", browser_views.shortcuts, name="shortcuts"),
]
