"""The first settings of an installation: asked for, tried, written, and used at once."""
