from django.urls import path

from .cognito import views as cognito_views
from .views import landing, profile, settings, shortcuts

urlpatterns = [
    path("", landing.landing, name="landing"),
    path("sign-in-failed", cognito_views.sign_in_failed, name="sign_in_failed"),
    path("sign-up", cognito_views.SignUpView.as_view(), name="sign_up"),
    path("forgot-password", cognito_views.ForgotPasswordView.as_view(), name="forgot_password"),
    # Before the library's own URL, which a setting could make accept GET.
    path("oidc/logout/", cognito_views.SignOutView.as_view(), name="oidc_logout"),
    path("choose-handle", cognito_views.choose_handle, name="choose_handle"),
    path("@<str:handle>", profile.profile, name="profile"),
    path("settings", settings.own_settings, name="settings"),
    path("settings/privacy", settings.privacy_settings, name="privacy_settings"),
    path("settings/browser", settings.browser_settings, name="browser_settings"),
    path("shortcuts", shortcuts.shortcuts, name="shortcuts"),
]
