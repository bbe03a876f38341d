"""Files that are whole or absent, hashed, sealed, locked: the ground everything is written on."""
