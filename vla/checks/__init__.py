"""What is looked at before an experiment runs."""
