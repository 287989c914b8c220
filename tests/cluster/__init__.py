"""Real processes of one fleet that are hurt, and what must hold after it."""
