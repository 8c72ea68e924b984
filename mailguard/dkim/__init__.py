"""DKIM as it can be seen from outside: key records and selectors (RFC 6376, 8301, 8463, 8616).

What we are sure of: a key record that was answered can be read to the last bit, and a name server that denies
``_domainkey.<domain>`` denies everything below it (RFC 8020). What we are not sure of: which selectors exist. DNS does
not list them, so a failed guess shows nothing; the verdict is then *unknown*, never *absent*. Control questions for an
invented selector tell wildcards and compact denial (RFC 9824) from keys that somebody published.

Signatures of messages are not verified here; that needs a message.
"""
