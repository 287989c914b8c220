"""What many processes share: leases, conditioned commits, inboxes and feeds, in Redis or Valkey."""
