"""The tables, by subject. Rows are private to `engine/storage`, which returns domain values."""
