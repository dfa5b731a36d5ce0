"""The verification of a copy before anybody sees it."""
