"""One interface, a package per venue."""
