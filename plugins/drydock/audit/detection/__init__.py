"""Detection: rules, baselines, and what explains a hit."""
