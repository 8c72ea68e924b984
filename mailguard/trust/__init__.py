"""How much a report is to be believed: who sent the mail that carried it, proved from SPF, DKIM and DMARC.

Anybody can mail a report to a published address, and write any name into it. RFC 9990 section 3.5 therefore wants the
carrying mail itself to pass DMARC. Two steps:

* ``authenticate`` (an inquiry) finds out which domains are proved to have sent a mail: ``head`` reads its header once
  for everything, ``signature`` reads and verifies DKIM signatures, ``results`` reads what a trusted mail server wrote.
  The outcome is an ``Authentication`` (``proof``).
* ``judge`` compares what is proved with what a report says of itself and gives a ``Trust`` (``grade``); ``reporter``
  knows which names reporters use.

``token`` makes report addresses that nobody can guess.

We are sure of what cryptography or DNS proved on the bytes at hand, and of nothing else. *Could not be checked* is an
outcome of its own: a key that nobody answered for is neither good nor bad, and trying again may help. Where we lean:

* One parse of the header serves all purposes, so that nobody can show one author to the eye and another to the proof.
  A header that readers could read in two ways (a bare CR, a line that is no field, two From fields) proves nothing.
* ``l=`` is not honoured (RFC 6376 section 8.2 leaves that to us): a signature counts if it covers the whole body.
* A key that anybody can sign with (published in a standard, or easily factored) proves nothing.
* A signature whose key says ``t=y`` counts, as it does at the large receivers, with a remark.
* Names below the author's organizational domain are its own: the one who holds the domain delegates them.

The clock is an argument. dkimpy does the canonicalization and the cryptography, helped by OpenSSL (``openssl``); the
tags of a signature and the key records are read here, because dkimpy asks the machine's clock and lets some keys pass
that RFC 6376 does not.
"""
