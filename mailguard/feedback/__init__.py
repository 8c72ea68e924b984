"""Reports that receivers send about mail in a domain's name: from the bytes of a mail to values.

``read_mail`` (``mail.py``) is the way in: ``unpack.py`` finds the members of a mail (gzip, zip or plain, told apart by
content, never by name or type), ``aggregate.py`` reads each as a DMARC aggregate report in the shape of RFC 7489 or of
RFC 9990. Everything is pure: bytes in, values out.

Anybody may send mail to a report address, so every byte is hostile until read. ``Limits`` states all bounds in one
place; the code that applies one says so. What cannot be read is a result (``Unreadable``, or a ``Defect`` of the report
that it belongs to), never an exception.

Where we lean: a report is read the way a patient person would read it. Element names are matched without their
namespace, values without regard to case, elements in any order. A file that is no well-formed XML is cut into its
records and each is read by itself, so one bad record costs that record only. Whatever was bent to make sense is
counted (``repaired``) and named (``defects``), so that nobody mistakes it for what the reporter wrote. Schema validity
is not asked for: most real reports lack it (RFC 9990 3.1.1 lets a consumer use such reports).
"""
