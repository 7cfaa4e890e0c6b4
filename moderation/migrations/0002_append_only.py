"""What must never be changed cannot be: not by the admin, not by a mistake in the code, not by SQL of this role."""

from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION moderation_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON moderation_auditentry
  FOR EACH ROW EXECUTE FUNCTION moderation_refuse();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON moderation_auditentry
  FOR EACH STATEMENT EXECUTE FUNCTION moderation_refuse();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON moderation_decision
  FOR EACH ROW EXECUTE FUNCTION moderation_refuse();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON moderation_decision
  FOR EACH STATEMENT EXECUTE FUNCTION moderation_refuse();

CREATE TRIGGER never_deleted BEFORE DELETE ON moderation_report
  FOR EACH ROW EXECUTE FUNCTION moderation_refuse();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON moderation_report
  FOR EACH STATEMENT EXECUTE FUNCTION moderation_refuse();
-- Of a report only its way through the queue goes on, and that only forwards from a decision.
CREATE TRIGGER as_reported BEFORE UPDATE ON moderation_report
  FOR EACH ROW WHEN (
    (NEW.id, NEW.reporter_uuid, NEW.reported_uuid, NEW.group_uuid, NEW.message_created_at, NEW.reason, NEW.note,
     NEW.snapshot, NEW.created_at)
    IS DISTINCT FROM
    (OLD.id, OLD.reporter_uuid, OLD.reported_uuid, OLD.group_uuid, OLD.message_created_at, OLD.reason, OLD.note,
     OLD.snapshot, OLD.created_at)
    OR OLD.state = 'decided'
  ) EXECUTE FUNCTION moderation_refuse();
"""

NO_MORE = """
DROP TRIGGER append_only ON moderation_auditentry;
DROP TRIGGER never_emptied ON moderation_auditentry;
DROP TRIGGER append_only ON moderation_decision;
DROP TRIGGER never_emptied ON moderation_decision;
DROP TRIGGER never_deleted ON moderation_report;
DROP TRIGGER never_emptied ON moderation_report;
DROP TRIGGER as_reported ON moderation_report;
DROP FUNCTION moderation_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("moderation", "0001_initial")]

    operations = [migrations.RunSQL(APPEND_ONLY, NO_MORE)]
