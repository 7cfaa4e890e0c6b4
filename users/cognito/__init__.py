"""Amazon Cognito: the client, signing in (OpenID Connect), tokens and keys, making users, linking people."""
