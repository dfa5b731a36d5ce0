"""The quarter: its queue for people, its report, and tracing."""
