"""The living part: supervision, the actors, their messages. Knows no HTTP and no vendor bytes."""
