"""The service module of the conversations table: every request, key, expression, condition, page loop and retry.

Callers use `table.MessageTable`, whose methods have the names of what people do. A write goes from there through
`transactions` (the actions of a transaction with their conditions) and `requests` (one request each) to `client`, the
only importer of boto3. `codec` converts entities to items and back, `keys` names them, `paginate` reads pages, `retry`
says what is repeated. Operators also use `bulk`, `scan`, `repairs`, `schema` and `tables`; the stream consumer uses
`shards`.
"""
