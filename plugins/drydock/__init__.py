"""Drydock keeps a fleet of databases seaworthy: it looks, judges, plans, changes through one gate, and reports."""
