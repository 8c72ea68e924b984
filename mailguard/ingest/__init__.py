"""How reports come in.

``listener.py`` speaks SMTP and knows nothing of reports: it bounds what a stranger may cost, and hands each whole mail
to a ``deliver`` function. That function returns when the mail is safe, and only then is the sender told ``250``; if it
raises, the sender is told to come back (``451``). So a mail is lost only if a sender gives up.
"""
