"""One module per subject: a handler takes a request, calls one use case and returns one view."""
