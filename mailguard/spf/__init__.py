"""SPF (RFC 7208): what a domain publishes about its senders, read, evaluated and laid open.

* ``macro``        macro-strings and domain-specs (sections 7.1-7.3);
* ``terms``        directives, modifiers and broken terms, each with its place and, if broken, the reason;
* ``record``       a record as its terms, and the selection among TXT answers (4.5, 4.6);
* ``limits``       the limits of 4.6.4, and what a term costs;
* ``check_host``   the receiver's algorithm for one client (section 4), with a trace; ``verdict`` is what it says;
* ``expansion``    the whole include tree, asked level by level, with its cost even past the limits;
* ``space``        sets of addresses as sorted ranges;
* ``reach``        check_host for all addresses at once: who passes, and where evaluation breaks off;
* ``survey``       the SPF facts of one domain, for the rules;
* ``edit``         corrected records that follow from the published one alone; ``mend`` corrects slips of the pen;
* ``networks``, ``hosts``, ``explanation``   small tables and tests that rules and edits share.

What we are sure of: syntax, the record that a receiver selects, and costs of every term whose name does not depend on
the message. What depends on the message (macros other than ``%{d}`` and ``%{o}``) is called *dynamic* and is never
counted as broken. What could not be asked is *unanswered*, and no rule speaks about it.

Some clauses are read in more than one way by receivers; here is where we stand. A *void look-up* is a **term** whose
questions all came back empty (4.6.4 speaks of terms): an ``mx`` with five hosts is at most one. A name that cannot be
asked for (empty label, label over 63 octets) does not match, as section 4.8 suggests for names that do not exist. The
PTR question behind ``ptr`` and ``%{p}`` costs one look-up each time a term uses it, although it is asked once.
"""
