"""Every sentence a user reads; pure functions that return a Message."""
