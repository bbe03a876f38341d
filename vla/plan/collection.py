"""Where collected demonstrations lie: a folder named by the key of all that decides them."""
