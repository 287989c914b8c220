"""The demo: the real service, and a pretend world of lights and gateways as real servers."""
