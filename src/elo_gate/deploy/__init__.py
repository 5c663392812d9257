"""Turns a Passed verdict into a release that is live and verified, or back into the one before.

A deploy is a transaction over somebody else's interface: write down what is meant, act once with a key, observe,
decide, write down. `machine` decides and does nothing else; everything that acts is around it. Nothing is inferred from
an exit status that can be observed instead.
"""
