"""What an account's stream tells, how far it is trusted, and what is read all the same."""
