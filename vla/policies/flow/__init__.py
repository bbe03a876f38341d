"""Flow matching: an action expert beside a vision-language model turns noise into an action chunk."""
