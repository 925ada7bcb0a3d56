"""One interface, a package per exchange."""
