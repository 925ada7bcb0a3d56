"""Who may do what: chats, members, pairing, invitations, and the menu of commands each sees."""
