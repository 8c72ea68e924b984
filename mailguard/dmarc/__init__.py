"""Dmarc."""
