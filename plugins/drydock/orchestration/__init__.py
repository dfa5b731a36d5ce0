"""The only folder that imports Airflow: how pipelines become DAGs, where connections come from, how people are told."""
