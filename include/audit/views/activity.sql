-- The digest of the interval, by hour, with the local day and hour.
CREATE VIEW activity AS FROM by_local_hour('source_activity')
