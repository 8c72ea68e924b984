"""What a domain's zone says about mail besides the records of SPF, DKIM and DMARC.

Where mail goes (MX, RFC 5321 section 5.1, RFC 7505), whether the domain is used for mail at all, and whether names that
nobody published exist (wildcards of RFC 4592, compact denial of RFC 9824), which decides whether DMARC's ``np`` can
ever apply.
"""
