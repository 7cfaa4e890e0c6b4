"""The sizes and units of AWS's rules ("Item sizes" and "Capacity units" in the DynamoDB developer guide)."""

from typing import Any

import pytest

from messaging.dynamodb.table_definition import INDEXES
from tests.messaging.capacity import item_size, read_units, units_of_index, value_size, write_units
from tools.bench.meter import Call, refused_units, units_read
from tools.bench.old_system import INDEXES as OLD_INDEXES


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "abc"}, 3),
        ({"S": "é"}, 2),
        ({"S": "😀"}, 4),
        ({"S": ""}, 0),
        ({"B": b"1234567890123456"}, 16),
        ({"BS": [b"1234", b"12"]}, 6),
        ({"N": "7"}, 2),
        ({"N": "1234"}, 3),
        ({"N": "12345"}, 4),
        ({"N": "100000"}, 2),
        ({"BOOL": False}, 1),
        ({"NULL": True}, 1),
        ({"L": []}, 3),
        ({"L": [{"S": "ab"}, {"N": "1"}]}, 3 + (1 + 2) + (1 + 2)),
        ({"M": {}}, 3),
        ({"M": {"key": {"S": "ab"}}}, 3 + 1 + 3 + 2),
    ],
)
def test_a_value_has_its_size(value: dict[str, Any], size: int) -> None:
    assert value_size(value) == size


def test_an_item_is_its_names_and_its_values() -> None:
    assert item_size({"pk": {"S": "MSG#1"}, "seq": {"N": "12"}, "é": {"S": "x"}}) == (2 + 5) + (3 + 2) + (2 + 1)


def test_a_query_is_rounded_up_to_four_kilobytes_once() -> None:
    items = [{"text": {"S": "x" * 1020}}] * 4  # 1,024 bytes each

    assert read_units(items, consistent=True) == 1
    assert read_units([*items, {"a": {"S": ""}}], consistent=True) == 2
    assert read_units([*items, {"a": {"S": ""}}], consistent=False) == 1
    assert read_units([], consistent=True) == 1


def test_a_write_is_rounded_up_to_one_kilobyte_and_doubled_in_a_transaction() -> None:
    item = {"text": {"S": "x" * 1020}}

    assert write_units({}, item, transaction=False) == 1
    assert write_units({}, item | {"a": {"S": ""}}, transaction=False) == 2
    assert write_units({}, item | {"a": {"S": ""}}, transaction=True) == 4


def test_a_write_is_paid_for_by_the_larger_of_the_old_and_the_new_item() -> None:
    large = {"text": {"S": "x" * 1500}}

    assert write_units(large, {}, transaction=False) == write_units(large, {"a": {"S": "b"}}, transaction=False) == 2


def test_an_index_is_written_where_what_it_holds_changes_and_twice_where_its_key_does() -> None:
    index = INDEXES["inbox-index"]
    entry = {"pk": {"S": "p"}, "sk": {"S": "s"}, "inbox": {"S": "i"}, "last_message_at": {"S": "1"}}

    assert units_of_index(index, {}, entry) == 1
    assert units_of_index(index, entry, entry | {"version": {"N": "2"}}) == 0
    assert units_of_index(index, entry, entry | {"read_seq": {"N": "2"}}) == 1
    assert units_of_index(index, entry, entry | {"last_message_at": {"S": "2"}}) == 2
    assert units_of_index(index, {}, {"pk": {"S": "p"}, "sk": {"S": "s"}}) == 0


def test_an_index_of_all_attributes_changes_with_any_of_them() -> None:
    (index,) = OLD_INDEXES.values()
    entry = {"pk": {"S": "p"}, "sk": {"S": "1"}, "message_group_uuid": {"S": "g"}, "message": {"S": "a"}}

    assert units_of_index(index, entry, entry | {"message": {"S": "b"}}) == 1


def test_a_batch_of_keys_is_paid_for_item_by_item_whether_they_are_there_or_not() -> None:
    keys = [{"pk": {"S": str(n)}, "sk": {"S": "s"}} for n in range(3)]
    asked = {"RequestItems": {"t": {"Keys": keys, "ConsistentRead": True}}}
    found = {"Responses": {"t": [{"pk": {"S": "0"}, "text": {"S": "x" * 5000}}, {"pk": {"S": "1"}}]}}

    assert units_read(Call("BatchGetItem", asked, found)) == 2 + 1 + 1


def test_a_get_takes_half_where_it_need_not_be_consistent() -> None:
    answer = {"Item": {"text": {"S": "x" * 5000}}}

    assert units_read(Call("GetItem", {"ConsistentRead": True}, answer)) == 2
    assert units_read(Call("GetItem", {}, answer)) == 1
    assert units_read(Call("PutItem", {}, {})) == 0


def test_a_filter_is_not_reckoned_with() -> None:
    with pytest.raises(ValueError, match="filter"):
        units_read(Call("Query", {}, {"Items": [], "Count": 0, "ScannedCount": 3}))


def test_a_write_whose_condition_fails_is_paid_for_like_a_write_of_what_stands_there() -> None:
    key = {"pk": {"S": "p"}, "sk": {"S": "s"}}
    there = {("p", "s"): {**key, "text": {"S": "x" * 1500}}}

    assert refused_units(Call("UpdateItem", {"Key": key}, {}), there) == 2
    assert refused_units(Call("PutItem", {"Item": key}, {}), {}) == 1
