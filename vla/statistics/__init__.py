"""From episodes to claims: rates with intervals, seeds, verdicts, comparisons."""
