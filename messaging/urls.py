from django.urls import path

from .views import account, amending, arranging, blocking, inbox, live, sending, start, thread

urlpatterns = [
    path("settings/export", account.export_data, name="export_data"),
    path("settings/delete-account", account.delete_account, name="delete_account"),
    path("account-deleted", account.account_deleted, name="account_deleted"),
    path("messages", inbox.conversation_list, name="conversations"),
    path("messages/people", start.people, name="people"),
    path("messages/new", start.new_conversation, name="new_conversation"),
    path("messages/new/<str:handle>", start.new_conversation_with, name="new_conversation_with"),
    path("messages/people/<uuid:user_uuid>/block", blocking.block, name="block"),
    path("messages/people/<uuid:user_uuid>/unblock", blocking.unblock, name="unblock"),
    path("messages/requests", arranging.requests, name="message_requests"),
    path("messages/archived", arranging.archived, name="archived"),
    path("messages/stream", live.no_stream, name="stream"),
    path("messages/rows", live.inbox_rows, name="inbox_rows"),
    path("messages/token", sending.form_token, name="form_token"),
    path("messages/<uuid:group_uuid>", thread.conversation, name="conversation"),
    path("messages/<uuid:group_uuid>/messages", thread.message_window, name="message_window"),
    path("messages/<uuid:group_uuid>/read", thread.mark_read, name="mark_read"),
    path("messages/<uuid:group_uuid>/since", live.catch_up, name="catch_up"),
    path("messages/<uuid:group_uuid>/typing", live.typing, name="typing"),
    path("messages/<uuid:group_uuid>/options", arranging.options, name="conversation_options"),
    path("messages/<uuid:group_uuid>/mute", arranging.mute, name="mute"),
    path("messages/<uuid:group_uuid>/archive", arranging.archive, name="archive"),
    path("messages/<uuid:group_uuid>/unread", arranging.mark_unread, name="mark_unread"),
    path("messages/<uuid:group_uuid>/answer", arranging.answer_request, name="answer_request"),
    path("messages/<uuid:group_uuid>/alert", arranging.alert, name="alert"),
    path("messages/<uuid:group_uuid>/<str:created_at>", amending.message_actions, name="message_actions"),
    path("messages/<uuid:group_uuid>/<str:created_at>/edit", amending.edit_message, name="edit_message"),
    path("messages/<uuid:group_uuid>/<str:created_at>/delete", amending.delete_message, name="delete_message"),
]
