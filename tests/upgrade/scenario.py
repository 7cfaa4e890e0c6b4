"""What people did on a release before its data were copied.

Only add to it, because copies of older releases stay as they are. Return what you add under a new key of `seen.json`,
so that a test can skip the releases that lack it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .visitor import Visitor, eventually

QUESTION, ANSWER = "Do you still have the blue ladder?", "It is behind the shed."
UNEDITED, EDITED = "Thanks, I come at fiv.", "Thanks, I come at five."
DELETED, LAST = "Nobody shall read this.", "Bring gloves."
ARCHIVED, MUTED, UNWANTED = "The shop sign is dry.", "Where did I park?", "Free cakes, click here."
REQUEST = "May I photograph your roof?"
INSULT, SECOND_INSULT = "Your bowls are crooked.", "And your cups, too."
NOTE, REASON = "He does this to all potters.", "Rude, and not for the first time."
WARNING = "Please be kind to potters."
FAREWELL = "This account ends today."
BIO = "Owns one ladder, a blue one."
NEWCOMER = "petra"
"""Is not part of the seed: made by the command `cognito_create_user`."""
FROM_NEWCOMER = "Hello, I am new here."


def play(url: str, *, make_person: Callable[[str], None]) -> dict[str, Any]:
    """Act as several people on a fresh, seeded site. Return what they see at the end, for `seen.json`.

    `make_person` gets a handle and makes a Cognito user for it.
    """
    make_person(NEWCOMER)
    handles = ["mirek", "signe", "kwame", "luca", "celeste", "zofia", "oksana", "arjun", "minjun", "londo", "tavita"]
    people = {handle: Visitor(url).sign_in(handle) for handle in [*handles, "leonor", "andrewbrown", NEWCOMER]}
    uuids = {handle: visitor.uuid() for handle, visitor in people.items()}
    mirek = people["mirek"]
    groups = {
        "ladder": talk_about_the_ladder(people),
        "archived": people["kwame"].send("/messages/new/mirek", ARCHIVED)["url"],
        "muted": people["luca"].send("/messages/new/mirek", MUTED)["url"],
        "blocked": people["celeste"].send("/messages/new/mirek", UNWANTED)["url"],
        "newcomer": people[NEWCOMER].send("/messages/new/signe", FROM_NEWCOMER)["url"],
        "farewell": people["tavita"].send("/messages/new/leonor", FAREWELL)["url"],
    }
    for group in ("archived", "muted", "blocked"):
        accept(mirek, groups[group])
    accept(people["signe"], groups["newcomer"])
    accept(people["leonor"], groups["farewell"])
    mirek.post(f"{groups['archived']}/archive")
    mirek.post(f"{groups['muted']}/mute", {"for": "always"})
    mirek.post(f"/messages/people/{uuids['celeste']}/block")
    mirek.post("/settings", {"display_name": "Mirek Dvořák", "bio": BIO})
    people["kwame"].post("/settings/privacy", {"may_write": "nobody"})
    groups["request"] = people["oksana"].send("/messages/new/zofia", REQUEST)["url"]
    groups["reported"] = moderate(people)
    people["tavita"].post("/settings/delete-account", {"handle": "tavita"})

    assert eventually(lambda: "Deleted user" in people["leonor"].text("/messages"))
    assert eventually(lambda: people["leonor"].get("/@tavita").status_code == 404)
    assert eventually(lambda: LAST in mirek.text("/messages") and "Muted" in mirek.text("/messages"))
    return {
        "uuids": uuids,
        "groups": {name: path.rpartition("/")[2] for name, path in groups.items()},
        "unread": {handle: people[handle].unread() for handle in ("mirek", "andrewbrown")},
        "cookies": {name: value for name, value in mirek.session.cookies.items() if name.startswith("sessionid")},
    }


def accept(visitor: Visitor, path: str) -> None:
    """Accept a message request, without which its sender cannot write a second message."""
    visitor.post(f"{path}/answer", {"answer": "accept"})


def talk_about_the_ladder(people: dict[str, Visitor]) -> str:
    """Write, read, answer, edit and delete. Mirek has not read what comes after his answer. Return the path."""
    signe, mirek = people["signe"], people["mirek"]
    path: str = signe.send("/messages/new/mirek", QUESTION)["url"]
    accept(mirek, path)
    mirek.page(path)
    mirek.send(path, ANSWER)
    edited, deleted = (signe.send(path, text)["created_at"] for text in (UNEDITED, DELETED))
    signe.post(f"{path}/{edited}/edit", {"message": EDITED})
    signe.post(f"{path}/{deleted}/delete")
    signe.send(path, LAST)
    return path


def moderate(people: dict[str, Visitor]) -> str:
    """Report two messages. A moderator decides on the first, which gives its writer a notice. Return the path."""
    arjun, minjun, londo = people["arjun"], people["minjun"], people["londo"]
    insult = arjun.send("/messages/new/minjun", INSULT)
    path: str = insult["url"]
    accept(minjun, path)
    second = arjun.send(path, SECOND_INSULT)
    report = {"reason": "harassment", "note": NOTE}
    for message in (insult, second):
        minjun.post(f"/report{path.removeprefix('/messages')}/{message['created_at']}", report)
    first = re.findall(r"/admin/moderation/report/\d+/", londo.page("/admin/moderation/report/"))[0]
    londo.post(f"{first}claim/")
    londo.post(f"{first}decide/", {"verdict": "warn", "reason": REASON, "text": WARNING})
    return path
