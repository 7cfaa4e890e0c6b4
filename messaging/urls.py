from django.urls import path

from .views import inbox, start, thread

urlpatterns = [
    path("messages", inbox.conversation_list, name="conversations"),
    path("messages/new", start.new_conversation, name="new_conversation"),
    path("messages/new/<str:handle>", start.new_conversation_with, name="new_conversation_with"),
    path("messages/<uuid:group_uuid>", thread.conversation, name="conversation"),
    path("messages/<uuid:group_uuid>/messages", thread.earlier_messages, name="earlier_messages"),
    path("messages/<uuid:group_uuid>/read", thread.mark_read, name="mark_read"),
]
