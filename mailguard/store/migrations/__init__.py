"""Alembic's side of the schema: how a database comes from one shape to the next, and back."""
