"""Questions over whole tables: pruning, dumps, encrypted columns, statistics."""
