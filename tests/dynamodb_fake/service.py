"""The operations of DynamoDB and of its streams on tables in memory, one request at a time."""

from __future__ import annotations

import json
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import RLock
from typing import Any
from uuid import uuid4

from . import expressions
from .expressions import Scope
from .storage import Index, Position, Primary, Stream, Table
from .values import Item, Refused, Value, checked, invalid, item_size

Request = dict[str, Any]
Answer = dict[str, Any]

PAGE_BYTES = 1024 * 1024
ITEM_BYTES = 400 * 1024
BATCH_KEYS, BATCH_WRITES, TRANSACTION_ACTIONS = 100, 25, 100
RECORDS = 1000
REGION, ACCOUNT = "us-east-1", "123456789012"
EXPRESSIONS: dict[str, Callable[[str], tuple[Any, frozenset[str]]]] = {
    "ConditionExpression": expressions.condition,
    "FilterExpression": expressions.condition,
    "KeyConditionExpression": expressions.condition,
    "ProjectionExpression": expressions.projection,
    "UpdateExpression": expressions.update,
}
CONDITION_FAILED = "The conditional request failed"
NO_TABLE = "Requested resource not found"
EMPTY_KEY = (
    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string "
    "value."
)
WRONG_INDEX_KEY = "One or more parameter values were invalid: Type mismatch for Index Key"


@dataclass(slots=True)
class FakeDynamoDb:
    """Tables by name. `answer` takes a request as it is on the wire."""

    tables: dict[str, Table] = field(default_factory=dict)
    _tokens: dict[str, Answer] = field(default_factory=dict)
    """The answers of transactions that were done, by their ClientRequestToken."""
    _lock: RLock = field(default_factory=RLock)

    def answer(self, operation: str, body: bytes) -> tuple[int, bytes]:
        """Return the status and the body of the answer to a request. Raises NotImplementedError."""
        try:
            answer = self.call(operation, json.loads(body or b"{}"))
        except Refused as refused:
            kind = {"__type": f"com.amazonaws.dynamodb.v20120810#{refused.code}", "message": refused.message}
            return 400, json.dumps(kind | refused.more).encode()
        return 200, json.dumps(answer).encode()

    def call(self, operation: str, request: Request) -> Answer:
        """Do what a request asks for. Raises Refused, NotImplementedError."""
        if operation not in OPERATIONS:
            raise NotImplementedError(f"the fake of DynamoDB knows no {operation}")
        with self._lock:
            return OPERATIONS[operation](self, request)

    # --- Tables -------------------------------------------------------------------------------------------------------

    def table(self, name: str, message: str = NO_TABLE) -> Table:
        """Return a table by its name or ARN. Raises Refused."""
        found = self.tables.get(name.rpartition("table/")[2])
        if found is None:
            raise Refused("ResourceNotFoundException", message)
        return found

    def create_table(self, request: Request) -> Answer:
        name = request["TableName"]
        if name in self.tables:
            raise Refused("ResourceInUseException", f"Table already exists: {name}")
        description = {
            "TableName": name,
            "TableArn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}",
            "TableId": str(uuid4()),
            "TableStatus": "ACTIVE",
            "AttributeDefinitions": request["AttributeDefinitions"],
            "KeySchema": request["KeySchema"],
            "CreationDateTime": time.time(),
            "DeletionProtectionEnabled": request.get("DeletionProtectionEnabled", False),
        }
        table = self.tables[name] = Table(description)
        _set_billing(description, request.get("BillingMode", "PROVISIONED"), request.get("ProvisionedThroughput"))
        for definition in request.get("GlobalSecondaryIndexes", []):
            _add_index(table, definition)
        _set_stream(table, request.get("StreamSpecification"))
        return {"TableDescription": _described(table)}

    def describe_table(self, request: Request) -> Answer:
        name = request["TableName"]
        return {"Table": _described(self.table(name, f"Requested resource not found: Table: {name} not found"))}

    def list_tables(self, request: Request) -> Answer:
        names = sorted(name for name in self.tables if name > request.get("ExclusiveStartTableName", ""))
        page = names[: request.get("Limit", 100)]
        return {"TableNames": page, **({"LastEvaluatedTableName": page[-1]} if len(page) < len(names) else {})}

    def update_table(self, request: Request) -> Answer:
        table = self.table(request["TableName"])
        description = table.description
        for name in ("AttributeDefinitions", "DeletionProtectionEnabled"):
            if name in request:
                description[name] = request[name]
        if "BillingMode" in request or "ProvisionedThroughput" in request:
            mode = request.get("BillingMode", "PROVISIONED")
            _set_billing(description, mode, request.get("ProvisionedThroughput"))
        _set_stream(table, request.get("StreamSpecification"))
        for update in request.get("GlobalSecondaryIndexUpdates", []):
            if "Create" in update:
                _add_index(table, update["Create"])
            elif "Delete" in update:
                del table.indexes[update["Delete"]["IndexName"]]
            else:
                table.indexes[update["Update"]["IndexName"]].definition |= update["Update"]
        return {"TableDescription": _described(table)}

    def delete_table(self, request: Request) -> Answer:
        name = request["TableName"]
        table = self.table(name, f"Requested resource not found: Table: {name} not found")
        if table.description["DeletionProtectionEnabled"]:
            raise invalid(
                "Resource cannot be deleted as it is currently protected against deletion. "
                "Disable deletion protection first."
            )
        del self.tables[table.name]
        return {"TableDescription": _described(table) | {"TableStatus": "DELETING"}}

    # --- Items --------------------------------------------------------------------------------------------------------

    def get_item(self, request: Request) -> Answer:
        scope = _scope(request)
        table = self.table(request["TableName"])
        item = table.items.get(_primary(table, request["Key"]))
        answer = {} if item is None else {"Item": _projected(item, request, scope)}
        return answer | _capacity(request, table, _read_units(item or {}, request.get("ConsistentRead", False)))

    def put_item(self, request: Request) -> Answer:
        return self._single(request, _put)

    def update_item(self, request: Request) -> Answer:
        return self._single(request, _update)

    def delete_item(self, request: Request) -> Answer:
        return self._single(request, lambda table, request, scope, old: None)

    def _single(self, request: Request, change: Callable[[Table, Request, Scope, Item | None], Item | None]) -> Answer:
        scope = _scope(request)
        table = self.table(request["TableName"])
        primary = _primary(table, request.get("Key") or request["Item"], exact="Key" in request)
        old = table.items.get(primary)
        if not _condition_holds(request, scope, old):
            more = _old_if_asked(request, old)
            raise Refused("ConditionalCheckFailedException", CONDITION_FAILED, **more)
        new = change(table, request, scope, old)
        units = table.write(primary, new)
        return _returned(request, scope, old, new) | _capacity(request, table, units)

    # --- Pages --------------------------------------------------------------------------------------------------------

    def query(self, request: Request) -> Answer:
        scope = _scope(request)
        table = self.table(request["TableName"])
        index = _index(table, request)
        condition, _ = expressions.condition(request["KeyConditionExpression"])
        positions = index.queried(condition, scope)
        forward = request.get("ScanIndexForward", True)
        if start := _start(table, index, request):
            if forward:
                positions = positions[bisect_right(positions, start[1]) :]
            else:
                positions = positions[: bisect_left(positions, start[1])]
        return _page(table, index, request, scope, positions if forward else reversed(positions))

    def scan(self, request: Request) -> Answer:
        scope = _scope(request)
        table = self.table(request["TableName"])
        index = _index(table, request)
        positions = index.scanned(
            _start(table, index, request),
            segment=request.get("Segment", 0),
            segments=request.get("TotalSegments", 1),
        )
        return _page(table, index, request, scope, positions)

    # --- Batches and transactions -------------------------------------------------------------------------------------

    def batch_get_item(self, request: Request) -> Answer:
        asked: dict[str, Request] = request["RequestItems"]
        if sum(len(each["Keys"]) for each in asked.values()) > BATCH_KEYS:
            raise invalid("Too many items requested for the BatchGetItem call")
        found: dict[str, list[Item]] = {}
        capacities: list[Answer] = []
        for name, each in asked.items():
            table, scope = self.table(name), _scope(each)
            primaries = [_primary(table, key) for key in each["Keys"]]
            if len(set(primaries)) < len(primaries):
                raise invalid("Provided list of item keys contains duplicates")
            items = [table.items[primary] for primary in primaries if primary in table.items]
            found[name] = [_projected(item, each, scope) for item in items]
            units = sum(
                _read_units(table.items.get(primary, {}), each.get("ConsistentRead", False)) for primary in primaries
            )
            capacities += _capacity(request, table, units).values()
        return {"Responses": found, "UnprocessedKeys": {}} | _capacities(capacities)

    def batch_write_item(self, request: Request) -> Answer:
        asked: dict[str, list[Request]] = request["RequestItems"]
        if not 0 < sum(map(len, asked.values())) <= BATCH_WRITES:
            raise invalid("Too many items requested for the BatchWriteItem call")
        writes = [
            (table, *_batch_write(table, each))
            for name in asked
            for table in [self.table(name)]
            for each in asked[name]
        ]
        if len({(table.name, primary) for table, primary, _ in writes}) < len(writes):
            raise invalid("Provided list of item keys contains duplicates")
        capacities = [
            each
            for table, primary, new in writes
            for each in _capacity(request, table, table.write(primary, new)).values()
        ]
        return {"UnprocessedItems": {}} | _capacities(capacities)

    def transact_write_items(self, request: Request) -> Answer:
        """Do all of the actions or none. A request with the token of one that was done is answered as that was."""
        token = request.get("ClientRequestToken", "")
        if token in self._tokens:
            return self._tokens[token]
        actions = [next(iter(action.items())) for action in request["TransactItems"]]
        if not 0 < len(actions) <= TRANSACTION_ACTIONS:
            raise invalid("Member must have length less than or equal to 100")
        writes: list[tuple[Table, Primary, Item | None]] = []
        reasons: list[dict[str, Any]] = []
        touched = set()
        for kind, action in actions:
            table, scope = self.table(action["TableName"]), _scope(action)
            primary = _primary(table, action.get("Key") or action["Item"], exact="Key" in action)
            touched.add((table.name, primary))
            old = table.items.get(primary)
            reasons.append(_reason(action, scope, old))
            if reasons[-1]["Code"] == "None" and kind != "ConditionCheck":
                try:
                    writes.append((table, primary, TRANSACTED[kind](table, action, scope, old)))
                except Refused as refused:
                    reasons[-1] = {"Code": "ValidationError", "Message": refused.message}
        if len(touched) < len(actions):
            raise invalid("Transaction request cannot include multiple operations on one item")
        codes = [reason["Code"] for reason in reasons]
        if set(codes) != {"None"}:
            message = (
                f"Transaction cancelled, please refer cancellation reasons for specific reasons [{', '.join(codes)}]"
            )
            raise Refused("TransactionCanceledException", message, Message=message, CancellationReasons=reasons)
        capacities: list[Answer] = []
        for table, primary, new in writes:
            capacities += _capacity(request, table, 2 * table.write(primary, new)).values()
        answer = _capacities(capacities)
        if token:
            self._tokens[token] = answer
        return answer

    # --- Streams ------------------------------------------------------------------------------------------------------

    def stream(self, arn: str) -> Stream:
        for table in self.tables.values():
            if table.stream and table.stream.arn == arn:
                return table.stream
        raise Refused("ResourceNotFoundException", f"Requested resource not found: Stream: {arn} not found")

    def describe_stream(self, request: Request) -> Answer:
        stream = self.stream(request["StreamArn"])
        shards = [{"ShardId": stream.shard, "SequenceNumberRange": {"StartingSequenceNumber": "1"}}]
        after = request.get("ExclusiveStartShardId", "")
        return {
            "StreamDescription": {
                "StreamArn": stream.arn,
                "StreamLabel": stream.label,
                "StreamStatus": "ENABLED",
                "StreamViewType": stream.view,
                "TableName": stream.arn.split("/")[1],
                "Shards": [shard for shard in shards if shard["ShardId"] != after],
            }
        }

    def get_shard_iterator(self, request: Request) -> Answer:
        stream = self.stream(request["StreamArn"])
        if request["ShardId"] != stream.shard:
            raise Refused("ResourceNotFoundException", "Requested resource not found: Shard does not exist")
        numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in stream.records]
        match request["ShardIteratorType"]:
            case "TRIM_HORIZON":
                place = 0
            case "LATEST":
                place = len(numbers)
            case "AT_SEQUENCE_NUMBER":
                place = bisect_left(numbers, int(request["SequenceNumber"]))
            case _:
                place = bisect_right(numbers, int(request["SequenceNumber"]))
        return {"ShardIterator": f"{stream.arn}|{place}"}

    def get_records(self, request: Request) -> Answer:
        arn, _, place = request["ShardIterator"].rpartition("|")
        begin = int(place)
        records = self.stream(arn).records[begin : begin + request.get("Limit", RECORDS)]
        return {"Records": records, "NextShardIterator": f"{arn}|{begin + len(records)}"}


OPERATIONS: dict[str, Callable[[FakeDynamoDb, Request], Answer]] = {
    "BatchGetItem": FakeDynamoDb.batch_get_item,
    "BatchWriteItem": FakeDynamoDb.batch_write_item,
    "CreateTable": FakeDynamoDb.create_table,
    "DeleteItem": FakeDynamoDb.delete_item,
    "DeleteTable": FakeDynamoDb.delete_table,
    "DescribeStream": FakeDynamoDb.describe_stream,
    "DescribeTable": FakeDynamoDb.describe_table,
    "GetItem": FakeDynamoDb.get_item,
    "GetRecords": FakeDynamoDb.get_records,
    "GetShardIterator": FakeDynamoDb.get_shard_iterator,
    "ListTables": FakeDynamoDb.list_tables,
    "PutItem": FakeDynamoDb.put_item,
    "Query": FakeDynamoDb.query,
    "Scan": FakeDynamoDb.scan,
    "TransactWriteItems": FakeDynamoDb.transact_write_items,
    "UpdateItem": FakeDynamoDb.update_item,
    "UpdateTable": FakeDynamoDb.update_table,
}


# --- What requests have in common -------------------------------------------------------------------------------------


def _scope(request: Request) -> Scope:
    """Return the names and values of a request's expressions. Raises Refused when one is missing or unused."""
    used: set[str] = set()
    for name, parse in EXPRESSIONS.items():
        if name in request:
            used |= parse(request[name])[1]
    names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
    if missing := used - names.keys() - values.keys():
        what = "value" if min(missing).startswith(":") else "name"
        raise invalid(f"An expression attribute {what} used in expression is not defined: {min(missing)}")
    if unused := (names.keys() | values.keys()) - used:
        raise invalid(f"Value provided in ExpressionAttributeValues unused in expressions: keys: {{{min(unused)}}}")
    return Scope({}, names, {name: checked(value) for name, value in values.items()})


def _on(scope: Scope, item: Item | None) -> Scope:
    return Scope(item or {}, scope.names, scope.values)


def _primary(table: Table, item: Item, *, exact: bool = True) -> Primary:
    """Return the primary key of an item. Raises Refused when its key does not fit the table."""
    types = _key_types(table)
    names = table.key_names
    if exact and set(item) != set(names):
        raise invalid("The provided key element does not match the schema")
    for name in names:
        if name not in item:
            raise invalid(f"One or more parameter values were invalid: Missing the key {name} in the item")
        if types[name] not in item[name]:
            raise invalid(f"One or more parameter values were invalid: Type mismatch for key {name}")
        if not item[name][types[name]]:
            raise invalid(f"{EMPTY_KEY} Key: {name}")
    return table.primary(item)


def _key_types(table: Table) -> dict[str, str]:
    return {each["AttributeName"]: each["AttributeType"] for each in table.description["AttributeDefinitions"]}


def _item(table: Table, item: Item) -> Item:
    """Validate an item and return it as it is stored. Raises Refused."""
    found = {name: checked(value) for name, value in item.items()}
    if item_size(found) > ITEM_BYTES:
        raise invalid("Item size has exceeded the maximum allowed size")
    types = _key_types(table)
    for index, each in table.indexes.items():
        for name in each.key_names:
            if name in found and (types[name] not in found[name] or not found[name][types[name]]):
                raise invalid(f"{WRONG_INDEX_KEY} {name} Expected: {types[name]} IndexName: {index}")
    return found


def _put(table: Table, request: Request, scope: Scope, old: Item | None) -> Item:
    return _item(table, request["Item"])


def _update(table: Table, request: Request, scope: Scope, old: Item | None) -> Item:
    changes, _ = expressions.update(request["UpdateExpression"]) if "UpdateExpression" in request else ((), None)
    if any(change.path.resolved(scope.names)[0] in table.key_names for change in changes):
        raise invalid(
            "One or more parameter values were invalid: Cannot update attribute. This attribute is part of the key"
        )
    return _item(table, request["Key"] | expressions.updated(changes, _on(scope, old)))


TRANSACTED: dict[str, Callable[[Table, Request, Scope, Item | None], Item | None]] = {
    "Put": _put,
    "Update": _update,
    "Delete": lambda table, request, scope, old: None,
}


def _condition_holds(request: Request, scope: Scope, old: Item | None) -> bool:
    if "ConditionExpression" not in request:
        return True
    condition, _ = expressions.condition(request["ConditionExpression"])
    return bool(condition.holds(_on(scope, old)))


def _old_if_asked(request: Request, old: Item | None) -> dict[str, Any]:
    return {"Item": old} if old and request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" else {}


def _reason(action: Request, scope: Scope, old: Item | None) -> dict[str, Any]:
    if _condition_holds(action, scope, old):
        return {"Code": "None"}
    return {"Code": "ConditionalCheckFailed", "Message": CONDITION_FAILED, **_old_if_asked(action, old)}


def _returned(request: Request, scope: Scope, old: Item | None, new: Item | None) -> Answer:
    kind = request.get("ReturnValues", "NONE")
    shown = {"ALL_OLD": old, "UPDATED_OLD": old, "ALL_NEW": new, "UPDATED_NEW": new}.get(kind)
    if shown and kind.startswith("UPDATED"):
        changes, _ = expressions.update(request["UpdateExpression"])
        touched = {change.path.resolved(scope.names)[0] for change in changes}
        shown = {name: value for name, value in shown.items() if name in touched}
    return {"Attributes": shown} if shown else {}


def _batch_write(table: Table, request: Request) -> tuple[Primary, Item | None]:
    if "PutRequest" in request:
        item = request["PutRequest"]["Item"]
        return _primary(table, item, exact=False), _item(table, item)
    return _primary(table, request["DeleteRequest"]["Key"]), None


def _index(table: Table, request: Request) -> Index:
    name = request.get("IndexName")
    if name is None:
        return table.order
    if name not in table.indexes:
        raise invalid(f"The table does not have the specified index: {name}")
    if request.get("ConsistentRead"):
        raise invalid("Consistent reads are not supported on global secondary indexes")
    return table.indexes[name]


def _start(table: Table, index: Index, request: Request) -> tuple[Any, Position] | None:
    key = request.get("ExclusiveStartKey")
    if key is None:
        return None
    if set(key) != {*table.key_names, *index.key_names}:
        raise invalid("The provided starting key is invalid")
    return index.position(key, table.primary(key))


def _page(table: Table, index: Index, request: Request, scope: Scope, positions: Iterable[Position]) -> Answer:
    """Read the items at these positions until the limit, the end or 1 MB; return those that pass the filter."""
    limit = request.get("Limit")
    found: list[Item] = []
    scanned, size = 0, 0
    last: Answer = {}
    condition = expressions.condition(request["FilterExpression"])[0] if "FilterExpression" in request else None
    for position in positions:
        item = index.shown(table.items[position[1]], table.key_names)
        scanned += 1
        size += item_size(item)
        if condition is None or condition.holds(_on(scope, item)):
            found.append(item)
        if scanned == limit or size > PAGE_BYTES:
            last = {"LastEvaluatedKey": {name: item[name] for name in (*table.key_names, *index.key_names)}}
            break
    shown = {} if request.get("Select") == "COUNT" else {"Items": [_projected(each, request, scope) for each in found]}
    units = _units(size, request.get("ConsistentRead", False))
    return shown | {"Count": len(found), "ScannedCount": scanned} | last | _capacity(request, table, units)


def _projected(item: Item, request: Request, scope: Scope) -> Item:
    if "ProjectionExpression" not in request:
        return item
    paths, _ = expressions.projection(request["ProjectionExpression"])
    return expressions.projected(paths, _on(scope, item))


def _read_units(item: Mapping[str, Value], consistent: bool) -> float:
    return _units(item_size(item), consistent)


def _units(size: int, consistent: bool) -> float:
    return max(1, -(-size // 4096)) * (1.0 if consistent else 0.5)


def _capacity(request: Request, table: Table, units: float) -> Answer:
    asked = request.get("ReturnConsumedCapacity", "NONE")
    if asked == "NONE":
        return {}
    capacity: Answer = {"TableName": table.name, "CapacityUnits": float(units)}
    if asked == "INDEXES":
        part = {"CapacityUnits": float(units)}
        index = request.get("IndexName")
        capacity |= {"GlobalSecondaryIndexes": {index: part}} if index else {"Table": part}
    return {"ConsumedCapacity": capacity}


def _capacities(each: list[Answer]) -> Answer:
    """Add up the units of each table."""
    sums: dict[str, Answer] = {}
    for capacity in each:
        known = sums.setdefault(capacity["TableName"], {**capacity, "CapacityUnits": 0.0})
        known["CapacityUnits"] += capacity["CapacityUnits"]
    return {"ConsumedCapacity": list(sums.values())} if sums else {}


# --- Descriptions -----------------------------------------------------------------------------------------------------


def _set_billing(description: dict[str, Any], mode: str, throughput: dict[str, Any] | None) -> None:
    if mode == "PAY_PER_REQUEST":
        description["BillingModeSummary"] = {"BillingMode": mode}
        throughput = {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
    elif throughput is None:
        raise invalid("No provisioned throughput specified for the table")
    else:
        description.pop("BillingModeSummary", None)
    description["ProvisionedThroughput"] = {"NumberOfDecreasesToday": 0, **throughput}


def _set_stream(table: Table, specification: dict[str, Any] | None) -> None:
    if specification is None:
        return
    if not specification["StreamEnabled"]:
        table.stream = None
        table.description.pop("StreamSpecification", None)
        return
    if table.stream is not None:
        raise invalid("Table already has an enabled stream")
    label = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    arn = f"{table.description['TableArn']}/stream/{label}"
    table.stream = Stream(arn, label, specification["StreamViewType"])
    table.description |= {"StreamSpecification": specification, "LatestStreamArn": arn, "LatestStreamLabel": label}


def _add_index(table: Table, definition: dict[str, Any]) -> None:
    types = _key_types(table)
    if not {each["AttributeName"] for each in definition["KeySchema"]} <= types.keys():
        raise invalid("Some index key attributes are not defined in AttributeDefinitions")
    throughput = definition.get("ProvisionedThroughput", {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0})
    table.add_index({**definition, "ProvisionedThroughput": {"NumberOfDecreasesToday": 0, **throughput}})


def _described(table: Table) -> Answer:
    indexes = [
        {
            **index.definition,
            "IndexArn": f"{table.description['TableArn']}/index/{name}",
            "IndexStatus": "ACTIVE",
            "ItemCount": sum(map(len, index.partitions.values())),
            "IndexSizeBytes": 0,
        }
        for name, index in table.indexes.items()
    ]
    size = sum(map(item_size, table.items.values()))
    counted = {"ItemCount": len(table.items), "TableSizeBytes": size}
    return table.description | counted | ({"GlobalSecondaryIndexes": indexes} if indexes else {})
