"""What the service says, as words, colours and tables for a person. Pure."""
