"""MEXC over HTTP."""
