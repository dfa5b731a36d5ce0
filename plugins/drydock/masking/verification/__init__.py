"""The second net: checks a masked copy with code of its own, so that a fault of the masking cannot hide in its check.

Nothing here imports the techniques, kinds, checks or discovery of the masking (a test asserts it). The only input are the
database, the policy's names, and what the caller planted.
"""
