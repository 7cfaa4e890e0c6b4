from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from cruddur.stack import describe_stack
from messaging.connection import message_table
from messaging.management.foreseen import foreseen
from messaging.seeding import seed, seed_conversations
from users.models import User


class Command(BaseCommand):
    help = (
        "Write the conversations of the seed, relative to now, between the people of the seed (see db_seed). "
        "Conversations that exist are left as they are. Safe to run again."
    )

    def handle(self, **options: Any) -> None:
        if options["verbosity"]:
            self.stdout.write(describe_stack())
        conversations = seed_conversations()
        handles = {handle for each in conversations for handle in each.between}
        written = messages = 0
        with foreseen():
            people = dict(User.objects.filter(handle__in=handles).values_list("handle", "uuid"))
            if missing := sorted(handles - people.keys()):
                raise CommandError(f"Nobody is called {', '.join(missing)}: run `manage.py db_seed` first.")
            for each, was_written in seed(message_table(), conversations, people=people, now=timezone.now()):
                if was_written:
                    written += 1
                    messages += len(each.messages)
                    if options["verbosity"] > 1:
                        self.stdout.write(f"  {' and '.join(each.between)}: {len(each.messages)} messages")
        exist = len(conversations) - written
        sentence = f"  {written} conversations with {messages} messages written, {exist} were there"
        self.stdout.write(self.style.SUCCESS(sentence))
