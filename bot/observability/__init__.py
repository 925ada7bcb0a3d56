"""Logs, metrics, health, error reports, and alerts about the process itself."""
