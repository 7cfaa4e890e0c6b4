"""What pages read of conversations."""
