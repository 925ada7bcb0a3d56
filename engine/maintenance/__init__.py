"""Backups, key rotation, pruning."""
