"""Measures what the air hides: how soon lights answer, and how long forwarders wait."""
