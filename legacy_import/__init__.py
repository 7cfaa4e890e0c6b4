"""Import users and conversations of the predecessor. Its database and table are only read, never written."""
