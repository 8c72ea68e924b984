"""Scripts for whoever builds mailguard."""
