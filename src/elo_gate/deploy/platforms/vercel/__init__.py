"""Turns a release into a Vercel deployment: the real CLI sends it, and the domain says which one is live."""
