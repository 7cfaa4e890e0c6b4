"""The stream consumer as a worker: `manage.py ddb_stream`. The Lambda function shares `messaging.projection` alone."""
