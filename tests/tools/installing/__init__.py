"""Installing the packages, against indexes that these tests make."""
