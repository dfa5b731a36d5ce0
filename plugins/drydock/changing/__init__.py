"""What all pipelines that change something share: survey, plan, approve, work, verify, report, and how they end."""
