"""The pages and the JSON of messaging: each module is one feature. A view reads the request and renders a response."""
