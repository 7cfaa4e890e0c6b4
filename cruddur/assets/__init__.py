"""Bundle scripts and styles, and store static files."""
