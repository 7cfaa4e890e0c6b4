"""Sign-in sessions: the model, SESSION_ENGINE, which sessions are valid, and signing out everywhere."""
