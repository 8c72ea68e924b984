"""How results are shown. Every renderer works from the *document*, the published JSON form of an audit.

So whatever is shown can be shown again later, in the other language, from a stored result. A renderer decides nothing:
it lays out, and makes hostile text harmless in its own form (``safe.py``).
"""
