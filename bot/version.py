"""The version of this program; `pyproject.toml` says the same, and a test compares them."""

VERSION = "0.5.0"
