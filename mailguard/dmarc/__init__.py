"""DMARC: RFC 9989, the report destinations of RFC 9990 section 4, and what receivers of RFC 7489 do otherwise.

How it is put together::

    record.py       text -> Record: the grammar, what is wrong with it, what counts after the fall-backs
    uri.py          one rua or ruf destination
    nearmiss.py     texts that were meant to be a DMARC record and are none
    walk.py         the DNS Tree Walk and the organizational domain
    discovery.py    which record counts for an author domain, and what it asks receivers to do
    alignment.py    whether an authenticated domain speaks for the author domain
    destination.py  whether reports may be sent to a destination outside
    legacy.py       the same questions as a receiver of RFC 7489 answers them
    survey.py       all of it for one audited domain, in two rounds of questions
    edit.py         corrected record texts

Where the standard leaves a choice we say which reading we took, next to the code. Two choices run through all of it:

* *Several readings possible* (a tag given twice, upper-case tag names): the record is read so that it promises least,
  and a rule tells that receivers may differ.
* *A question was not answered*: everything that the answer could have changed is unanswered. In particular a name whose
  ``_dmarc`` question timed out is never taken for a name without a record.
"""
