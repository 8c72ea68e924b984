"""How reports come in.

``listener.py`` speaks SMTP and knows nothing of reports: it bounds what a stranger may cost, and hands each whole mail
to a ``deliver`` function. That function returns when the mail is safe, and only then is the sender told ``250``; if it
raises, the sender is told to come back (``451``, or ``452`` when there is no room). So a mail is lost only if a sender
gives up.

One session is a ``connection.py``, with a peer that is let in, heard and let go, and the commands of ``session.py`` on
it. It asks ``gate.py`` for its place and its share of memory, ``intake.py`` for the data of a mail, ``service.py`` for
what all sessions share. ``settings.py`` states every bound. ``tls.py``, ``proxy.py``
and ``activation.py`` are the certificate, the clients behind a proxy, and the sockets that systemd opened.
"""
