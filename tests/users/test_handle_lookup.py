"""Handles typed at the keyboard: who is meant, and who may have been."""

from __future__ import annotations

import pytest

from users.handle_lookup import NobodyCalled, near_handles, person_meant
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("typed", ["andrewbrown", "@andrewbrown", "AndrewBrown", " @ANDREWBROWN "])
def test_case_and_at_sign_are_ignored(andrew: User, typed: str) -> None:
    assert person_meant(typed) == andrew


def test_inactive_user_is_found(andrew: User) -> None:
    User.objects.filter(pk=andrew.pk).update(is_active=False)

    assert person_meant("andrewbrown") == andrew


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("brown", r"^Nobody is called @brown\. Did you mean @andrewbrown\?$"),
        ("@anderwbrown", r"^Nobody is called @anderwbrown\. Did you mean @andrewbrown\?$"),
        ("Andrew Brown", r"^Nobody is called @Andrew Brown\. Did you mean @andrewbrown\?$"),
        ("zzz", r"^Nobody is called @zzz\.$"),
        ("", r"^Nobody is called @\.$"),
        ("\x1b[31m\x00\udcff", r"^Nobody is called @\\x1b\[31m\\x00\\udcff\.$"),
    ],
)
def test_similar_handles_are_suggested(andrew: User, bayko: User, typed: str, sentence: str) -> None:
    with pytest.raises(NobodyCalled, match=sentence):
        person_meant(typed)


def test_at_most_three_nearest_are_suggested(db: None) -> None:
    for handle in ("sinclair", "sinclaire", "sinclairs", "sincere", "sinatra", "zathras"):
        User.objects.create_user(handle=handle, display_name="X", cognito_user_id=f"sub-{handle}")

    assert len(near_handles("sinklair")) == 3
    assert near_handles("sinklair")[0] == "sinclair"
    assert near_handles("zathars") == ["zathras"]


def test_inactive_users_are_not_suggested(andrew: User) -> None:
    User.objects.filter(pk=andrew.pk).update(is_active=False)

    assert near_handles("anderwbrown") == []
    assert near_handles("brown") == []
