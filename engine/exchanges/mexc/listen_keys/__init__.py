"""The keys by which accounts open their streams: asked for, kept, extended."""
