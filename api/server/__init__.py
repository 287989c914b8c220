"""From a listening socket to a request: who may connect, how long, and what counts as HTTP."""
