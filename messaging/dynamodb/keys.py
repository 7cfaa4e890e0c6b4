"""The keys of the table's items. Pure.

| item         | pk            | sk             |
| ------------ | ------------- | -------------- |
| conversation | MSG#<group>   | #CONVERSATION  |
| message      | MSG#<group>   | created_at     |
| entry        | GRP#<user>    | <group>        |
"""

from __future__ import annotations

import uuid

from messaging.domain.folders import USER_PREFIX

GROUP_PREFIX = "MSG#"
CONVERSATION_SK = "#CONVERSATION"
FIRST_MESSAGE_SK = "0"
"""Sorts after `CONVERSATION_SK` and before every created_at."""


def group_pk(group_uuid: uuid.UUID) -> str:
    return f"{GROUP_PREFIX}{group_uuid}"


def user_pk(user_uuid: uuid.UUID) -> str:
    return f"{USER_PREFIX}{user_uuid}"


def key(pk: str, sk: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def conversation_key(group_uuid: uuid.UUID) -> dict[str, dict[str, str]]:
    return key(group_pk(group_uuid), CONVERSATION_SK)


def message_key(group_uuid: uuid.UUID, created_at: str) -> dict[str, dict[str, str]]:
    return key(group_pk(group_uuid), created_at)


def entry_key(user_uuid: uuid.UUID, group_uuid: uuid.UUID) -> dict[str, dict[str, str]]:
    return key(user_pk(user_uuid), str(group_uuid))
