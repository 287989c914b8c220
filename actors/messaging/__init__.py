"""Messages between actors: mailboxes, replies, dead letters."""
