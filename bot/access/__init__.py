"""Who may do what: chats, members, pairing, invitations, and each member's command menu."""
