"""Consume the table's stream and project changed conversations into their members' entries (pattern E).

`manage.py ddb_stream` and the Lambda function share the projection.
"""
