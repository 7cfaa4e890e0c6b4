"""DynamoDB in the memory of the tests, for what the message store asks of it; fast, because no request leaves botocore.

It answers the requests of real boto3 clients in DynamoDB's own JSON, so that everything of the store runs as in
production: serialization, retries, hooks that count calls or put faults in, translation of errors. `test_contract.py`
holds its answers equal to the emulator's, and so do the tests that run on `either_table`.

- `values.py`: attribute values: validation, equality, order and size
- `expressions.py`: conditions, key conditions, updates and projections
- `storage.py`: items, their order in the table and its indexes, and the table's stream
- `service.py`: the operations
- `hook.py`: puts it in the place of the network
"""

from .hook import listen, made_once, served
from .service import FakeDynamoDb

__all__ = ["FakeDynamoDb", "listen", "made_once", "served"]
