"""What is watched while a run trains: the machine's use, and anomalies."""
