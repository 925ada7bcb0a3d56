"""The tables. Rows are private to `engine/storage`."""
