"""Statements: their fingerprints, what they do and to what, and shapes of injection."""
