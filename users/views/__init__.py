"""The pages of accounts: landing page, profiles, settings, keyboard shortcuts."""
