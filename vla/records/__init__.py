"""Every record that jobs write, one file each: typed, versioned, sealed. docs/records.md shows them."""
