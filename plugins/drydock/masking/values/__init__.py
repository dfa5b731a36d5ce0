"""Values: kinds and their check digits, and what masks a column of them."""
