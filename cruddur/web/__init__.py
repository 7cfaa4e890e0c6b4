"""HTTP: middleware, error pages, limits, client addresses, origins, preferences."""
