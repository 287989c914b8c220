"""A pretend world: lights, gateways, radio and network server, in process or as real servers."""
