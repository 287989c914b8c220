"""Posting events to the receivers of hooks: who may be reached, how it is signed, what came."""
