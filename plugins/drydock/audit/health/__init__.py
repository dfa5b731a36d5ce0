"""The health of a trail: verdicts of their own."""
