"""The steps of the schema, numbered; never changed once released."""
