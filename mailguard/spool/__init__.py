"""Where received mails lie safely until they are read and stored.

The failure story, which the code follows:

* A sender is told ``250`` only after ``Spool.put`` has returned, and that is after these steps, in this order: the
  mail is written to a file in ``tmp/``, the file is synced, renamed into ``new/``, and ``new/`` is synced. Whatever
  mails are waiting when the disk is free are written as one file (group commit), so that a slow disk delays mails and
  does not limit how many there are. There is no timer: a mail that comes alone is written at once.
* Power fails, or the process is killed, before the rename: the file lies in ``tmp/``. Nobody was told ``250``, the
  sender comes again, and the next start removes the file.
* It happens after the rename: the mail is there, perhaps without its sender knowing. The sender comes again and the
  mail is there twice. The store knows it by the digest of its bytes and keeps one.
* A sync fails: the kernel may have dropped what it could not write, so the file is given up and never synced again.
  All mails of that batch are answered ``451``.
* The disk is full, below the floor, or too much is waiting to be read: ``SpoolFull``, ``452``. A second later the next
  mail tries anew.
* The reader (worker) is killed: what it had claimed lies in ``work/`` and goes back to ``new/`` at the next start.
  Storing twice changes nothing, and how often a file was claimed is part of its name, so that a mail that kills every
  reader is known as such even after the machine has been off.
* A file is damaged (a bad disk): every mail that is whole is read, the damage is told, and the file is kept.
* One mail cannot be read: it goes to ``quarantine/`` as a file of its own, its reason beside it, and the others go on.

State is where a file lies; what is in memory is a hint. Each step may be done twice.

``frames.py`` turns mails into bytes and back, ``disk.py`` is all that touches the file system, ``shelf.py`` knows the
folders (synchronous, for the worker and the commands), ``spool.py`` is what the listener awaits.
"""

from mailguard.spool.errors import SpoolError, SpoolFull
from mailguard.spool.frames import Batch
from mailguard.spool.reason import Reason
from mailguard.spool.shelf import Quarantined, Shelf, Waiting
from mailguard.spool.spool import Spool, SpoolSettings

__all__ = ["Batch", "Quarantined", "Reason", "Shelf", "Spool", "SpoolError", "SpoolFull", "SpoolSettings", "Waiting"]
