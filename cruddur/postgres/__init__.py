"""What the `db_*` commands, setup and housekeeping do in Postgres."""
