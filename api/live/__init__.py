"""The live websocket: a snapshot of the board, then its numbered changes."""
