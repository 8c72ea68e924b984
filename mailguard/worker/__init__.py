"""From received mails to stored reports: read in bounded processes, believed only as far as proved, stored, forgotten.

``Worker`` (``worker.py``) takes files from the spool's shelf. Every mail of a file goes its own way:

1. A reading process (``child.py``, looked after by ``readers.py``) finds out who sent it and reads the reports in it.
   It has no connection to anything: which DNS questions it wants answered it says, and it is told the answers
   (``asking.py``). ``wire.py`` is the language between the two.
2. What was read is judged (``judging.py``) and becomes a ``Filed``.
3. ``filer.py`` stores everything that is waiting in one transaction.
4. When all mails of a file are stored or in quarantine, the file is removed from the spool.

The failure story, which the code follows:

* A step is interrupted, the daemon is killed, the power fails: the file is still in the spool and everything is done
  again. Storing twice changes nothing.
* A mail makes its reading process crash, hang or grow: the process is killed, which costs that mail a try and the
  others that were being read there nothing but time. After three tries the mail lies in quarantine with the reason.
  The tries are counted on disk (``tries.py``), so they outlast us.
* A mail makes *us* die: its file comes back from the spool with a higher number of claims. Its mails are then taken
  one at a time, each noted on disk before it is begun.
* The database is away: mails wait in the spool, which tells senders to come again when it is full. We try again after
  a while that doubles up to half a minute.
* The database refuses one mail and takes others: that mail has three tries as well.
* DNS does not answer: the report is stored at once, unverified, and the mail is kept in ``later/`` to be checked again
  a few times within two weeks (``later.py``). A better proved copy takes the place of the first in the store.
* A mail holds files and none of them can be read: quarantine, at once; reading it again would change nothing.

Failure reports (RFC 9991) can hold mail of patients. Unless they are switched on nothing of them is kept: no report,
no mail, no line in the log that shows what stood in them.
"""
