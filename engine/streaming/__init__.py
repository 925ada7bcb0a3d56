"""The accounts' own streams: which are open, what they told, and whom that wakes."""
