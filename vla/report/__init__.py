"""What people look at: figures, READMEs, the HTML report, and documents about all experiments."""
