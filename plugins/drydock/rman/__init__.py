"""RMAN on the database host: which questions are asked, and how they get there and back over SSH."""
