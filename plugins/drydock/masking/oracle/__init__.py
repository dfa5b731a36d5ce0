"""Masked copies of Oracle databases."""
