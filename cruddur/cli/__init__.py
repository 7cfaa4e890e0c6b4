"""What the commands share: base class, terminal output, confirmation, exit codes, reference."""
