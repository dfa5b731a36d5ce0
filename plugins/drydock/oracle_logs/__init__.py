"""Readers of what Oracle writes as text: RMAN's output and the alert log."""
