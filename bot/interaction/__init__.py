"""What a handler receives and returns: requests, responses, buttons, confirmations, conversations."""
