"""Rollouts: colours for many lights, with a pace and a limit of failures that stops it.

`model.py` says what a rollout is, `decisions.py` decides, `repository.py` keeps and stores,
`actor.py` acts.
"""
