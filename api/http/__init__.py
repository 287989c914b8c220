"""HTTP: the Quart app, what every request passes, and what every answer is made of."""
