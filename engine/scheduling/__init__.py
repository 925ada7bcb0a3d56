"""Long-running loops, and which process owns what."""
