"""Odd reports and mails, each with what a person would read in it."""
