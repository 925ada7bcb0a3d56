"""What an account shall hold: kinds of targets, their bands, and where trades lead."""
