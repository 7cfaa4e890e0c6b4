"""Amazon Cognito: the client, sign-in (OpenID Connect), tokens and keys, creating users, linking people."""
