"""The simulation: a pretend world, and a harness that runs the production actors in it."""
