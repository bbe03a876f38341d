"""What people look at: figures, READMEs, the HTML report."""
