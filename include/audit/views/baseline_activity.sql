-- The digests of the baseline_days before, by hour, with the local day and hour.
CREATE VIEW baseline_activity AS FROM by_local_hour('source_baseline_activity')
