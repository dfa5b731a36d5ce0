"""Keyed permutations: block ciphers, format-preserving encryption, keys and their epochs."""
