"""What a person decided of each column, and whether it fits the schema."""
