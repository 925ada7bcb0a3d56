"""SQLAlchemy; one module per table and its questions."""
