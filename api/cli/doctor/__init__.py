"""`lamplighter doctor`: looks at a real installation, changes nothing, and says what to do."""
