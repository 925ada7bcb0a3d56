"""A trade over time, in slices."""
