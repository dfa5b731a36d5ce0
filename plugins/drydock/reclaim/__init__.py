"""Weekly: gives space above the high-water mark, and holes below it, back."""
