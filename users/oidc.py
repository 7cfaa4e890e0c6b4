"""The authentication backend, under the name that sessions store.

A session whose backend is not in `AUTHENTICATION_BACKENDS` is signed out, so this name must stay when modules move.
"""

from users.cognito.oidc import CognitoBackend

__all__ = ["CognitoBackend"]
