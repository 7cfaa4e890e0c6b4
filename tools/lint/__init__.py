"""What `make lint` needs beyond Python."""
