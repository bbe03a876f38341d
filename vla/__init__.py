"""Library behind the workflow: data, policies, training, evaluation, statistics, provenance."""
