from django.urls import path

from . import views

urlpatterns = [
    path("report/<uuid:group_uuid>", views.report_conversation, name="report_conversation"),
    path("report/<uuid:group_uuid>/<str:created_at>", views.report_message, name="report_message"),
    path("notice/acknowledge", views.acknowledge_notice, name="acknowledge_notice"),
]
