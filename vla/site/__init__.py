"""A public page of all results: static files for any web server, without a network of their own."""
