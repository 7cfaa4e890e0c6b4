"""Moving in from the old system: its table is read, never written to, and told anew by the rules of this one."""
