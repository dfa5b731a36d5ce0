"""Masked copies: which values are sensitive, keyed pseudonyms for them, and the proof that none got through."""
