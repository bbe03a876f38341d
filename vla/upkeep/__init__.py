"""Disk space and archives."""
