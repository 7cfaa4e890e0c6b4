"""What operators do with the table, for the commands: schema, seeds, scans, and looking into conversations."""
