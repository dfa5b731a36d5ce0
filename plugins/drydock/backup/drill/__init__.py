"""The restore drill: the only proof of a backup is a copy that came up from it and says what it should."""
