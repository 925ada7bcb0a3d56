"""Orders and what checks left behind."""
