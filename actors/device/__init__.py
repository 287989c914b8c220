"""One light: its state machine, pure, and the actor that runs it."""
