"""Reports that receivers send about mail in a domain's name: from the bytes of a mail to values.

``read_mail`` (``mail.py``) is the way in, ``read_file`` the same for a file without a mail. ``unpack.py`` finds the
files of a mail that may be reports, told apart by content and never by name or type (``kinds.py``, ``archive.py``,
``encodings.py``); ``aggregate.py`` reads DMARC aggregate reports in the shape of RFC 7489 or of RFC 9990, ``tls.py``
TLS reports (RFC 8460), ``failure.py`` failure reports (RFC 9991), and these only where somebody asks for them.
Everything is pure: bytes in, values out.

Anybody may send mail to a report address, so every byte is hostile until read. ``Limits`` states all bounds in one
place; the code that applies one says so. What cannot be read is a result (``Unreadable``, or a ``Defect`` of the
report that it belongs to), never an exception.

Where we lean: a report is read the way a patient person would read it. Names of elements are matched without
namespace and case, values without regard to case, elements in any order. A file that is no well-formed XML is cut
into its records and each is read by itself (``salvage.py``), so one bad record costs that record only. Whatever was
bent to make sense is counted (``repaired``) and named (``defects``), so that nobody mistakes it for what the reporter
wrote. Schema validity is not asked for: most real reports lack it (RFC 9990 3.1.1 lets a consumer use such reports).

Two short ways make the common case cheap, and both give exactly what the long way gives, or nothing: ``plainmail.py``
cuts an ordinary mail without the e-mail parser, ``layout.py`` picks the values out of a record in plain text without
the XML parser. The suite in tests/feedback reads everything both ways.
"""
