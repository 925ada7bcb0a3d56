"""Builds the process, runs it until a signal, and stops it in order."""
