"""What makes an account due besides its interval. Pure."""
